"""From a transaction to a page: what to show, where to send the browser, what to answer."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, make_response, redirect, render_template, request, url_for

from idp.assurance import Challenge, Demand, Satisfied
from idp.factors.base import Refused
from idp.models import Transaction
from idp.oidc import authorize
from idp.oidc.authorize import Answered, AskConsent
from idp.protocol.errors import OAuthError
from idp.protocol.responses import AuthorizationResponse
from idp.services import demands, transactions
from idp.services.signin import Overtaken, Standing
from idp.services.transactions import Purpose
from idp.web import cookies, headers, views
from idp.web.context import context, live_session, services


def wants_json() -> bool:
    """Does the caller talk JSON: a script, not a browser showing a page?"""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return request.is_json or best == "application/json"


def see_other(url: str) -> Response:
    """303: whatever this was, what follows is a GET (RFC 9700 section 4.12 forbids 307)."""
    if wants_json():
        return jsonify(redirect=url)
    return make_response(redirect(url, code=303))


def begin(purpose: Purpose, *, user_id: str | None = None, session_id: str | None = None) -> str:
    """Start a transaction in this browser; returns the address of its page. The caller commits."""
    started = transactions.begin(
        purpose,
        browser_token=cookies.browser_token(),
        lifetime=services().settings.transaction_lifetime,
        context=context(),
        user_id=user_id,
        session_id=session_id,
    )
    return url_for("login.show", transaction_id=started.id)


def send(response: AuthorizationResponse) -> Response:
    """Let an authorization response travel to the client."""
    if response.mode != "form_post":
        return see_other(response.url())
    headers.allow_form_target(response.redirect_uri)
    page = render_template(
        "login/post_response.html",
        action=response.redirect_uri,
        parameters=response.parameters,
        app=None,
    )
    return make_response(page)


def answer_of(transaction: Transaction) -> Response:
    """The answer a finished transaction already got: of two submits, both see the first's."""
    if transaction.parameters is not None:
        return send(authorize.load(transaction.answer or ""))
    return see_other(transaction.answer or url_for("account.home"))


def demand_of(transaction: Transaction) -> Demand:
    """What the transaction demands, by whoever it is for."""
    if transaction.parameters is not None:
        return services().authorization.demand(transaction)
    return demands.of_page(
        transaction.state.get("demand", {}), services().settings, started=transaction.started_at
    )


def standing_of(transaction: Transaction) -> Standing:
    """Where the transaction stands in this browser, now."""
    return services().signin.standing(
        transaction, demand_of(transaction), presented=live_session(), context=context()
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
    if transaction.state.get("choose"):
        return views.choose_account(transaction, live_session())
    standing = standing_of(transaction)
    if isinstance(standing.decision, Satisfied):
        return conclude(standing, allowed=allowed)
    if isinstance(standing.decision, Challenge):
        return views.ask(standing, method=method, refused=refused, values=values, status=status)
    return unmet(standing)


def conclude(standing: Standing, *, allowed: bool = False) -> Response:
    """The proof suffices: answer, or ask for consent first."""
    transaction = standing.transaction
    if transaction.parameters is None:
        transactions.finish(transaction, transaction.return_to or "/me", context().at)
        services().commit()
        return answer_of(transaction)
    outcome = services().authorization.conclude(standing, context(), allowed=allowed)
    if isinstance(outcome, AskConsent):
        return views.ask_consent(standing, outcome)
    return send(outcome.response)


def go_on(transaction: Transaction) -> Response:
    """After an answer: to the relying party when that was all, else to the page of the next step.

    A page is never the answer to a POST, so that neither a reload nor "back" sends it again.
    """
    standing = standing_of(transaction)
    if isinstance(standing.decision, Challenge) and wants_json():
        return views.ask(standing)
    if not isinstance(standing.decision, Satisfied) or transaction.parameters is None:
        return see_other(views.address(transaction))
    outcome = services().authorization.conclude(standing, context())
    if isinstance(outcome, AskConsent):
        return see_other(views.address(transaction))
    return send(outcome.response)


def unmet(standing: Standing) -> Response:
    """Nothing she has leads there: the relying party is told; a page of ours says what to do."""
    transaction = standing.transaction
    if transaction.parameters is None:
        return views.cannot_reach(standing)
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
    answered: Answered = services().authorization.refuse(transaction, error, context())
    return send(answered.response)


def restart(transaction: Transaction, state: Mapping[str, Any] | None = None) -> Response:
    """Begin again, for the same purpose, with nothing of the old one but what it was for."""
    purpose = Purpose(
        client_id=transaction.client_id,
        parameters=transaction.parameters,
        return_to=transaction.return_to,
        state={**(state or {"restarted": True}), **_page_demand(transaction)},
    )
    url = begin(purpose)
    services().commit()
    return see_other(url)


def _page_demand(transaction: Transaction) -> dict[str, Any]:
    demand = transaction.state.get("demand")
    return {"demand": demand} if demand else {}


def replay(purpose: Purpose) -> Response:
    """Send the browser through the authorization endpoint again with a request it once carried."""
    pairs = [
        (name, one)
        for name, value in (purpose.parameters or {}).items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return see_other(f"{url_for('oidc.authorize')}?{urlencode(pairs)}")


__all__ = ["Overtaken", "begin", "conclude", "proceed", "refuse", "restart", "send"]
