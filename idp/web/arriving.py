"""An authorization request at our door: for the first time, or once more."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from flask import Response, url_for

from idp.models import Transaction, new_id_at
from idp.oidc.answers import Answered, Interact
from idp.oidc.asked import Asked
from idp.protocol.arrived import Arrived
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.services import transactions
from idp.services.sessions import Live
from idp.services.transactions import Purpose
from idp.web import cookies, errors, flow
from idp.web.again import after, is_due
from idp.web.answers import redirect_to, see_other
from idp.web.context import context, live_session, services
from idp.web.delivering import send
from idp.web.forms import submitted
from idp.web.models import address
from idp.web.ways import tasks_of

AWAY = {"restarted": True}
"""What a sign-in is told that takes the place of one that has run out."""


def arrive(parameters: Parameters) -> Response:
    """Answer the request, or send the browser to the sign-in that it becomes."""
    live = live_session(parameters.clean("client_id"))
    if live is None and (url := _begin_at_once(parameters)):
        return redirect_to(url)
    try:
        outcome = services().authorization.arrive(parameters, presented=live, context=context())
    except OAuthError as error:
        return errors.authorization_refused(error, parameters.to_json())
    return _lead_on(outcome, live, by=redirect_to)


def _once_more(stored: Mapping[str, Any], note: Mapping[str, Any] | None = None) -> Response:
    """The same for a request that became a transaction before."""
    live, arrived = live_session(), Arrived.from_json(stored)
    try:
        outcome = services().authorization.again(arrived, presented=live, context=context())
    except OAuthError as error:
        return errors.authorization_refused(error, arrived.parameters.to_json())
    return _lead_on(outcome, live, by=see_other, note=note)


def _lead_on(
    outcome: Answered | Interact,
    live: Live | None,
    *,
    by: Callable[[str], Response],
    note: Mapping[str, Any] | None = None,
) -> Response:
    if live is not None:
        services().sessions.touch(live, context().at)
    if isinstance(outcome, Answered):
        services().commit()
        return send(outcome.response, by)
    return by(_begin(outcome, note or {}))


def _begin_at_once(parameters: Parameters) -> str | None:
    """What most people come for who are not signed in, by one statement; None for all else."""
    becomes = new_id_at(context().at)
    wanted = services().authorization.suppose(parameters, context(), becomes=becomes)
    if wanted is None:
        return None
    transaction = _made(wanted, {}, becomes)
    stored = transactions.store_at(transaction, wanted.asked.client.revision)
    return _begun(transaction, wanted) if stored else None


def _begin(wanted: Interact, note: Mapping[str, Any]) -> str:
    transaction = _made(wanted, note)
    transactions.store_alone(transaction)
    return _begun(transaction, wanted)


def _made(
    wanted: Interact, note: Mapping[str, Any], transaction_id: str | None = None
) -> Transaction:
    purpose, live = wanted.purpose, live_session()
    if note:
        purpose = replace(purpose, state={**(purpose.state or {}), **note})
    transaction = transactions.made(
        purpose,
        browser_token=cookies.browser_token(),
        lifetime=services().settings.transaction_lifetime,
        context=context(),
        user_id=wanted.user_id,
        session_id=wanted.session_id,
        after=[one.at for one in live.evidence] if live else (),
        transaction_id=transaction_id,
    )
    if live is None and _UNLIKE.isdisjoint(transaction.state):
        transaction.state["ceremonies"] = _likely(transaction, wanted.asked)
    return transaction


def _begun(transaction: Transaction, wanted: Interact) -> str:
    services().authorization.begun(transaction, wanted.asked, context().at)
    if transaction.state.get("create") and transactions.NOTE not in transaction.state:
        # Initiating User Registration 1.0: the form for a new account is what is shown first.
        return url_for("register.form", sign_in=transaction.id)
    return address(transaction)


_UNLIKE: Final = frozenset({"login_name", "create"})
"""With one of these another page comes first than the one that most people see."""


def _likely(transaction: Transaction, asked: Asked) -> Mapping[str, Any]:
    """What the page that comes next would begin: so that looking at it need not write."""
    standing = services().weighing.standing(
        transaction, asked.demand, presented=None, context=context()
    )
    choices = [one for one in standing.choices if not one.enrol]
    tasks = zip(choices, tasks_of(standing, choices, asked), strict=True)
    return services().ceremonies.begun(tasks, context().at)


def again(purpose: Purpose, note: Mapping[str, Any] | None = None) -> Response:
    """The same request in this browser, as if it had just come from the application."""
    return _once_more(purpose.parameters or {}, note)


def _typed(transaction: Transaction) -> dict[str, str]:
    typed = submitted().get("username", "").strip()[:320] or transactions.typed_in(transaction)
    return {transactions.TYPED: typed} if typed else {}


def restart(transaction: Transaction) -> Response:
    """Its time is up: it begins again, with nothing of the old one but what it was for.

    And the address that was typed: it proves nothing, and nobody likes to type it twice.
    """
    note = {**AWAY, **_typed(transaction)}
    if transaction.parameters is not None:
        return _once_more(transaction.parameters, note)
    live = live_session()
    state = {**note, **flow.page_demand(transaction)}
    state |= after(is_change=is_due(transaction))
    purpose = Purpose(return_to=transaction.return_to, state=state)
    url = flow.begin(
        purpose,
        user_id=live.user_id if live else None,
        session_id=live.id if live else None,
    )
    services().commit()
    return see_other(url)
