"""/login/first/<token>: the first administrator makes her account, and goes on to a passkey."""

from flask import Blueprint, Response, make_response, render_template, url_for
from flask_babel import gettext as _

from idp.assurance import Rung
from idp.factors.base import Refused
from idp.passwords import ALONE
from idp.services import transactions
from idp.services.invalid import Invalid
from idp.services.transactions import Purpose
from idp.web import cookies, errors, flow
from idp.web.answers import see_other
from idp.web.context import context, services
from idp.web.forms import submitted
from idp.web.models import address

bp = Blueprint("first_run", __name__, url_prefix="/login/first")


@bp.get("/<token>")
def opened(token: str) -> Response:
    """Who are you? Nothing is used up yet."""
    return _form(token) if services().first_run.is_open(token, context().at) else _gone()


@bp.post("/<token>")
def finish(token: str) -> Response:
    """Make the account, signed in; the console then asks for a passkey."""
    fields = submitted()
    purpose = Purpose(return_to=url_for("admin.home"), state={"demand": {"floor": Rung.MFA.name}})
    transaction = flow.start(purpose)
    services().commit()
    try:
        begun = services().first_run.finish(
            token,
            email=fields.get("email", ""),
            name=fields.get("name", ""),
            new_password=fields.get("new_password", ""),
            transaction_id=transaction.id,
            context=context(),
        )
    except Invalid as problems:
        return _form(token, fields, problems)
    if isinstance(begun, Refused):
        return _gone()
    transactions.next_step(
        transaction,
        user_id=begun.user.id,
        session_id=begun.session_id,
        state=transaction.state,
    )
    services().commit()
    response = see_other(address(transaction))
    cookies.write_session(response, begun.session_token, persistent=False)
    return response


def _form(
    token: str, fields: dict[str, str] | None = None, problems: Invalid | None = None
) -> Response:
    typed, found = fields or {}, problems.problems if problems else {}
    html = render_template(
        "login/first_administrator.html",
        action=url_for("first_run.finish", token=token),
        minimum=ALONE.length,
        values={name: typed.get(name, "") for name in ("email", "name")},
        errors=[{"field": name, "message": _(text)} for name, text in found.items()],
    )
    return make_response(html, 422 if problems else 200)


def _gone() -> Response:
    return errors.page(
        _("This link no longer works"),
        status=410,
        detail=_(
            "It was used, its hour is over, or somebody administers already. Start the server anew"
            " for another link, or make an administrator with the command: idp users create"
            " EMAIL --admin."
        ),
        back={"url": url_for("account.home"), "label": _("Sign in")},
    )
