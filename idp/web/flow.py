"""From a transaction to a page: what to show, where to send the browser, what to answer."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Response, url_for

from idp.assurance import Challenge, Demand, Satisfied
from idp.factors.base import Refused
from idp.models import Transaction
from idp.oidc.answers import Answered, AskConsent
from idp.protocol.arrived import Arrived
from idp.protocol.errors import OAuthError
from idp.services import demands, persons, transactions
from idp.services.roles import ROLES
from idp.services.standing_in import with_codes
from idp.services.transactions import Purpose
from idp.services.weighing import Known, Standing
from idp.web import again, asking, cookies, enrol, pages, prompting
from idp.web.answers import see_other, wants_json
from idp.web.context import context, live_session, services
from idp.web.delivering import deliver, send
from idp.web.models import address, asked_of

LONGEST_ADDRESS = 2000


def begin(purpose: Purpose, *, user_id: str | None = None, session_id: str | None = None) -> str:
    """Start a transaction in this browser; returns the address of its page. The caller commits."""
    return address(start(purpose, user_id=user_id, session_id=session_id))


def start(
    purpose: Purpose, *, user_id: str | None = None, session_id: str | None = None
) -> Transaction:
    """The same, returning the transaction."""
    transaction = made(purpose, user_id=user_id, session_id=session_id)
    transactions.store(transaction)
    return transaction


def made(
    purpose: Purpose, *, user_id: str | None = None, session_id: str | None = None
) -> Transaction:
    """The same, not stored yet."""
    live = live_session()
    return transactions.made(
        replace(purpose, return_to=_storable(purpose.return_to)),
        browser_token=cookies.browser_token(),
        lifetime=services().settings.transaction_lifetime,
        context=context(),
        user_id=user_id,
        session_id=session_id,
        after=[one.at for one in live.evidence] if live else (),
    )


def _storable(return_to: str | None) -> str | None:
    """A page's address as it came, or without a query that is longer than any of ours.

    None where already its path is: there is no such page.
    """
    if return_to is None or len(return_to) <= LONGEST_ADDRESS:
        return return_to
    path = return_to.partition("?")[0]
    return path if len(path) <= LONGEST_ADDRESS else None


def answer_of(transaction: Transaction) -> Response:
    """The answer a finished transaction already got: of two submits, both see the first's."""
    if transaction.parameters is not None:
        return send(services().authorization.responder.given(transaction))
    return see_other(transaction.answer or url_for("account.home"))


def was_granted(transaction: Transaction) -> bool:
    """Did a finished transaction end as it was meant to?"""
    if transaction.parameters is None:
        return True
    return "error" not in services().authorization.responder.given(transaction).parameters


def is_done(transaction: Transaction) -> bool:
    """Is there nothing left to ask here: finished as it was meant to, or about to be?"""
    if transaction.finished_at is not None:
        return was_granted(transaction)
    if transactions.is_over(transaction, context().at) or transaction.state.get("choose"):
        return False
    return isinstance(standing_of(transaction).decision, Satisfied)


def demand_of(transaction: Transaction) -> Demand:
    """What the transaction demands, by whoever it is for."""
    if asked := asked_of(transaction):
        return asked.demand
    wanted = transaction.state.get("demand", {})
    if "device" in wanted:
        return services().device_approval.demand(wanted["device"], transaction.id)
    if demands.FOR_ROLE in wanted and _has_no_role(transaction.user_id):
        wanted = {}
    return demands.of_page(
        wanted,
        services().settings,
        started=transaction.started_at,
        transaction_id=transaction.id,
    )


def _has_no_role(user_id: str | None) -> bool:
    """Is it known who it is, and that she has none?"""
    user = persons.by_id(user_id) if user_id is not None else None
    return user is not None and user.role not in ROLES


def standing_of(transaction: Transaction, known: Known | None = None) -> Standing:
    """Where the transaction stands in this browser, now; ``known`` is who has just been read."""
    weighing = services().weighing
    weigh = partial(
        weighing.standing, transaction, presented=live_session(), context=context(), known=known
    )
    return with_codes(
        weigh(demand_of(transaction)),
        holdings=services().holdings,
        weighing=weighing,
        weigh=weigh,
    )


def proceed(
    transaction: Transaction,
    *,
    method: str | None = None,
    refused: Refused | None = None,
    values: Mapping[str, str] | None = None,
    allowed: bool = False,
    status: int = 200,
) -> Response:
    """Take the sign-in as far as it goes without the person, and show what is needed of her.

    ``method`` is the way she chose, ``refused`` what came of her last answer, ``values`` what to
    keep of what she typed.
    """
    live = live_session()
    if transaction.state.get("choose"):
        return pages.choose_account(transaction, live) if live else without_choice(transaction)
    standing = standing_of(transaction)
    if isinstance(standing.decision, Satisfied):
        return conclude(standing, allowed=allowed)
    if isinstance(standing.decision, Challenge):
        return asking.ask(standing, method=method, refused=refused, values=values, status=status)
    return unmet(standing)


def conclude(standing: Standing, *, allowed: bool = False) -> Response:
    """The proof suffices: answer, or ask for consent first."""
    transaction = standing.transaction
    if page := enrol.to_be_shown(standing):
        return page
    if prompting.is_due(standing):
        return prompting.page(standing)
    if transaction.parameters is None:
        return _back_to_page(transaction)
    outcome = _conclude(standing, allowed=allowed)
    if isinstance(outcome, AskConsent):
        return pages.ask_consent(standing, outcome)
    return deliver(outcome, transaction)


def _back_to_page(transaction: Transaction) -> Response:
    is_change = again.is_due(transaction)
    transactions.finish(transaction, transaction.return_to or "/me", context().at)
    services().commit()
    if is_change:
        again.say()
    return answer_of(transaction)


def go_on(
    transaction: Transaction, *, allowed: bool = False, known: Known | None = None
) -> Response:
    """After an answer: to the relying party when that was all, else to the page of the next step.

    A page is never the answer to a POST, so that neither a reload nor "back" sends it again.
    Commits: what was written for the answer may come to be together with what it leads to.
    """
    if wants_json():
        _commit(transaction)
        return proceed(transaction, allowed=allowed)
    standing = standing_of(transaction, known)
    if transaction.parameters is not None and not _is_held_up(standing):
        outcome = _conclude(standing, allowed=allowed)
        if not isinstance(outcome, AskConsent) and not outcome.turned_away:
            return send(outcome.response)
    _commit(transaction)
    return see_other(address(transaction))


def _commit(transaction: Transaction) -> None:
    transactions.settle(transaction)
    services().commit()


def _is_held_up(standing: Standing) -> bool:
    return not isinstance(standing.decision, Satisfied) or prompting.is_due(standing)


def _conclude(standing: Standing, *, allowed: bool) -> Answered | AskConsent:
    return services().authorization.conclude(
        standing, context(), asked=asked_of(standing.transaction), allowed=allowed
    )


def unmet(standing: Standing) -> Response:
    """Nothing she has leads there: the relying party is told; a page of ours says what to do."""
    transaction = standing.transaction
    if transaction.parameters is None:
        return pages.cannot_reach(standing)
    error = OAuthError(
        "unmet_authentication_requirements", "The requested authentication cannot be reached."
    )
    return refuse(transaction, error)


def refuse(transaction: Transaction, error: OAuthError) -> Response:
    """Answer the client with an error; a page of our own is simply left."""
    if transaction.parameters is None:
        transactions.finish(transaction, "/me", context().at)
        services().commit()
        return see_other(url_for("account.home"))
    answered: Answered = services().authorization.refuse(
        transaction, error, context(), presented=live_session()
    )
    return send(answered.response)


def for_another(transaction: Transaction) -> Response:
    """Begin again for the same purpose, for somebody else than who is signed in here."""
    purpose = Purpose(
        client_id=transaction.client_id,
        parameters=transaction.parameters,
        return_to=transaction.return_to,
        state={"other_person": True, **page_demand(transaction)},
    )
    url = begin(purpose)
    services().commit()
    return see_other(url)


def without_choice(transaction: Transaction) -> Response:
    """Nobody is signed in any more, so there is nobody to choose: go on as for anybody."""
    state = {key: value for key, value in transaction.state.items() if key != "choose"}
    transactions.advance(transaction, state=state)
    services().commit()
    return proceed(transaction)


def way_on(transaction: Transaction) -> str:
    """Where a finished sign-in leads: to the application's own home, or through it again."""
    if transaction.parameters is None:
        return transaction.return_to or url_for("account.home")
    client = services().clients.get(transaction.client_id or "")
    home = client.metadata.client_uri if client else None
    return home or _again(Arrived.from_json(transaction.parameters))


def _again(arrived: Arrived) -> str:
    """The request's address once more; nobody is asked for a fresh sign-in by going back.

    Where it had none, because it was signed or pushed, only the account's own page is left.
    """
    if not arrived.is_plain:
        return url_for("account.home")
    pairs = [
        (name, one)
        for name, values in arrived.parameters.values.items()
        if name != "prompt"
        for one in values
    ]
    return f"{url_for('authorization.endpoint')}?{urlencode(pairs)}"


def page_demand(transaction: Transaction) -> dict[str, Any]:
    """What a page of ours asks for, as the state keeps it."""
    demand = transaction.state.get("demand")
    return {"demand": demand} if demand else {}
