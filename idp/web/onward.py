"""From an account that was just made, or got a new password, to the sign-in: it is not one yet."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, url_for

from idp.models import Transaction
from idp.services import transactions
from idp.services.transactions import Overtaken, Purpose
from idp.web import arriving, flow, under_way
from idp.web.answers import see_other
from idp.web.context import context, live_session, services
from idp.web.models import address

# Of the notices in login/restarted.html:
ACCOUNT_MADE: Final = "account_made"
CHANGED: Final = "password_changed"
FIRST_SET: Final = "password_set"


def to_sign_in(email: str, transaction_id: str | None, note: str) -> Response:
    """To the sign-in that she came from, in whichever browser, or to one of our own; commits.

    Her address stands there already: whoever gets here has shown that it is hers.
    """
    told = {transactions.TYPED: email, transactions.NOTE: note}
    found = under_way.find(transaction_id) if transaction_id else None
    if found is not None and _waits(found):
        return see_other(_told(found, told))
    purpose = transactions.purpose_of(transaction_id) if transaction_id else None
    return arriving.again(purpose, told) if purpose else see_other(_begun(told))


def _waits(transaction: Transaction) -> bool:
    """For anybody to sign in at all: it is not over, and nobody began to."""
    if transaction.finished_at is not None or transactions.is_over(transaction, context().at):
        return False
    return transaction.user_id is None


def _told(transaction: Transaction, told: Mapping[str, Any]) -> str:
    state = {name: value for name, value in transaction.state.items() if name != "login_name"}
    try:
        transactions.advance(transaction, state={**state, **told})
    except Overtaken:
        services().rollback()
    else:
        services().commit()
    return address(transaction)


def _begun(told: Mapping[str, Any]) -> str:
    other = {"other_person": True} if live_session() else {}
    url = flow.begin(Purpose(return_to=url_for("account.home"), state={**told, **other}))
    services().commit()
    return url
