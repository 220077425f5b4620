"""What was answered to the question after a sign-in: a passkey, or not now."""

from flask import Blueprint, Response

from idp.factors.base import Refused
from idp.models import Transaction
from idp.web import cookies, flow, prompting
from idp.web.answers import see_other
from idp.web.context import context, live_session, present_anew, services
from idp.web.forms import submitted
from idp.web.models import address
from idp.web.under_way import in_transaction

bp = Blueprint("prompt", __name__, url_prefix="/login")


@bp.post("/<transaction_id>/later")
@in_transaction
def later(transaction: Transaction) -> Response:
    """ "Not now": on to where the sign-in was going."""
    services().passkey_prompt.later(transaction)
    return see_other(address(transaction))


@bp.post("/<transaction_id>/add")
@in_transaction
def add(transaction: Transaction) -> Response:
    """The passkey was made, with a gesture or along the way."""
    standing = flow.standing_of(transaction)
    if not prompting.is_due(standing):
        return see_other(address(transaction))
    fields, live = submitted(), live_session()
    made = services().passkey_prompt.add(standing, fields, context())
    if isinstance(made, Refused):
        # Nobody asked for the attempt that was made along the way, so nobody is told.
        quiet = bool(fields.get("upgrade"))
        return prompting.page(
            flow.standing_of(transaction),
            None if quiet else made,
            200 if quiet else 422,
        )
    response = see_other(address(transaction))
    if made.session_token is not None and live is not None:
        present_anew(made.session_token)
        cookies.write_session(response, made.session_token, persistent=live.persistent)
    return response
