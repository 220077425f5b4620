"""The page between a complete sign-in and its answer: would a passkey not be easier?"""

from flask import Response, make_response, render_template, url_for

from idp.factors.base import Refused
from idp.services.passkey_prompt import METHOD
from idp.services.weighing import Standing
from idp.web.answers import wants_json
from idp.web.context import context, services
from idp.web.models import ChoiceView, app_of, asked_of, errors_of


def is_due(standing: Standing) -> bool:
    """Is there something to ask before this sign-in is answered? Scripts are never asked.

    Nor is who has just confirmed an operation: the button said that it is done.
    """
    if wants_json() or not services().passkey_prompt.is_due(standing, context()):
        return False
    asked = asked_of(standing.transaction)
    return asked is None or asked.operation is None


def page(standing: Standing, refused: Refused | None = None, status: int = 200) -> Response:
    """The question. Every answer to it ends at the application's address."""
    public = services().passkey_prompt.ask(standing, context())
    transaction = standing.transaction
    url = url_for("prompt.add", transaction_id=transaction.id)
    shown = render_template(
        "login/add_passkey.html",
        app=app_of(transaction),
        reason=_reason(standing),
        choice=ChoiceView(method=METHOD, url=url, enrol=True, public=public, begun=True),
        links={"later": url_for("prompt.later", transaction_id=transaction.id)},
        errors=errors_of(refused),
        form_token=str(transaction.version),
    )
    return make_response(shown, status)


def _reason(standing: Standing) -> str:
    """Why it is asked: after a code that stood in for something lost, all the more."""
    used = {proof.method for proof in standing.live.evidence} if standing.live else set()
    return "recovery" if used.intersection(services().holdings.last_resorts) else "password"
