"""Setting a factor up in the middle of a sign-in, where the decision asks for one not yet there."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, make_response, render_template, url_for

from idp.assurance import Choice
from idp.factors.base import Refused, Wish
from idp.models import Transaction, User
from idp.services import transactions
from idp.services.enrolment import Made
from idp.services.sessions import Live
from idp.services.weighing import Standing
from idp.web import cookies
from idp.web.answers import see_other, wants_json
from idp.web.context import context, present_anew, services
from idp.web.models import address, app_of, errors_of


def begin(standing: Standing, choice: Choice) -> Mapping[str, Any]:
    """Start the factor's enrolment, for the decision asked for it; returns what the page needs."""
    live, user = _person(standing)
    return services().enrolment.begin(
        user, choice.method, session_id=live.id, context=context(), wish=_wish(choice)
    )


def _person(standing: Standing) -> tuple[Live, User]:
    if standing.live is None or standing.user is None:
        raise RuntimeError("nothing is set up for nobody")
    return standing.live, standing.user


def _wish(choice: Choice) -> Wish:
    """What is set up has to show what the decision needs of it, at once."""
    return Wish(user_verification=choice.user_verification)


def finish(standing: Standing, choice: Choice, fields: dict[str, str]) -> Refused | Response:
    """Judge the answer. What was made counts for this sign-in, and the ledger says it was new."""
    transaction = standing.transaction
    live, user = _person(standing)
    outcome = services().enrolment.enrol(
        user, choice.method, fields, session_id=live.id, context=context(), wish=_wish(choice)
    )
    if isinstance(outcome, Refused):
        services().commit()
        return outcome
    at = transactions.time_in(transaction, context().at)
    made = services().enrolment.count(
        outcome, session_id=live.id, transaction_id=transaction.id, at=at
    )
    transactions.next_step(
        transaction, state=transaction.state, user_id=user.id, session_id=live.id
    )
    services().commit()
    return _on(transaction, made, live)


def _on(transaction: Transaction, made: Made, live: Live) -> Response:
    response = _told(transaction, live) if wants_json() else see_other(address(transaction))
    if made.session_token is not None:
        present_anew(made.session_token)
        cookies.write_session(response, made.session_token, persistent=live.persistent)
    return response


def _told(transaction: Transaction, live: Live) -> Response:
    """For a script: where to go on, and what came with it that is shown once."""
    shown = {
        method: dict(values)
        for method in services().holdings.last_resorts
        if (values := services().once.show(live.id, method, context().at)) is not None
    }
    return jsonify(redirect=address(transaction), **({"show_once": shown} if shown else {}))


def to_be_shown(standing: Standing, refused: Refused | None = None) -> Response | None:
    """Codes that came with what was set up, before the sign-in leaves for the application.

    ``refused``: what came of the wish to go on.
    """
    if standing.live is None or wants_json():
        return None
    for method in services().holdings.last_resorts:
        values = services().once.show(standing.live.id, method, context().at)
        if values is not None:
            return _codes(standing, method, values, refused)
    return None


def _codes(
    standing: Standing, method: str, values: Mapping[str, Any], refused: Refused | None
) -> Response:
    transaction = standing.transaction
    page = render_template(
        "login/keep_codes.html",
        app=app_of(transaction),
        user=standing.user,
        codes=values["codes"],
        action=url_for("login.saved", transaction_id=transaction.id, method=method),
        form_token=str(transaction.version),
        errors=errors_of(refused),
    )
    return make_response(page, 422 if refused else 200)
