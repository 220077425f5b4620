"""A new password by a mailed link: asked for, opened without effect, used once by a POST."""

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext as _

from idp.factors.base import Refused
from idp.services import transactions
from idp.services.reset import LIFETIME, Pending
from idp.web import errors, under_way
from idp.web.context import context, services
from idp.web.forms import submitted
from idp.web.models import NO_ADDRESS, back_to_sign_in, errors_of
from idp.web.onward import CHANGED, FIRST_SET, to_sign_in

bp = Blueprint("reset", __name__, url_prefix="/login")


def where_mailed(view: Callable[[], Response]) -> Callable[[], Response]:
    """Where no mail is sent, say who else can make such a link."""

    @wraps(view)
    def guarded() -> Response:
        return view() if services().settings.mails else _ask_an_administrator()

    return guarded


def _ask_an_administrator() -> Response:
    return errors.page(
        _("Ask your administrator for a new password"),
        status=200,
        symbol="person",
        detail=_(
            "No mail is sent from here. Your administrator can make you a link to choose one."
        ),
        back={"url": back_to_sign_in(), "label": _("Back to sign-in")},
    )


@bp.get("/forgotten")
@where_mailed
def forgotten() -> Response:
    """Where do we send the link?"""
    return _forgotten_page()


def _forgotten_page(refused: Refused | None = None) -> Response:
    page = render_template(
        "login/forgotten.html",
        action=url_for("reset.request_link", sign_in=request.args.get("sign_in")),
        values={"username": _typed()},
        links={"back": back_to_sign_in()},
        errors=errors_of(refused),
    )
    return make_response(page, 422 if refused else 200)


def _typed() -> str:
    """The address that was typed into the sign-in that the person came from."""
    begun = under_way.find(request.args.get("sign_in", ""))
    return transactions.typed_in(begun) if begun else ""


@bp.post("/forgotten")
@where_mailed
def request_link() -> Response:
    """Send it, if there is anybody to send it to; the answer is the same either way."""
    address = submitted().get("username", "").strip()[:320]
    if not address:
        return _forgotten_page(NO_ADDRESS)
    services().password_reset.request(
        address, context(), transaction_id=request.args.get("sign_in")
    )
    page = render_template(
        "login/check_email.html",
        purpose="reset",
        address=address,
        minutes=int(LIFETIME.total_seconds()) // 60,
        wait=None,
        action=None,
        links={
            "change": url_for("reset.forgotten", sign_in=request.args.get("sign_in")),
            "back": back_to_sign_in(),
        },
    )
    return make_response(page)


@bp.get("/reset/<token>")
def opened(token: str) -> Response:
    """The link was opened: a mail scanner may have done it, so nothing happens."""
    pending = services().password_reset.peek(token, context().at)
    return _reset_page(token, pending) if pending else _gone()


def _reset_page(token: str, pending: Pending, refused: Refused | None = None) -> Response:
    page = render_template(
        "login/reset.html",
        action=url_for("reset.finish", token=token),
        user=pending.user,
        minimum=pending.minimum,
        first=pending.first,
        errors=errors_of(refused),
    )
    return make_response(page, 422 if refused else 200)


@bp.post("/reset/<token>")
def finish(token: str) -> Response:
    """Set the password. The person then signs in with it, and with the second step if there is."""
    new_password = submitted().get("new_password", "")
    opened_for = services().password_reset.peek(token, context().at)
    outcome = services().password_reset.finish(token, new_password, context())
    if not isinstance(outcome, Refused):
        begun = opened_for.transaction_id if opened_for else None
        first = opened_for is not None and opened_for.first
        return to_sign_in(outcome.email, begun, FIRST_SET if first else CHANGED)
    pending = services().password_reset.peek(token, context().at)
    return _reset_page(token, pending, outcome) if pending else _gone()


def _gone() -> Response:
    return errors.page(
        _("This link no longer works"),
        status=410,
        detail=_("It was used, or a newer one replaced it, or its time is over."),
        back={"url": url_for("reset.forgotten"), "label": _("Ask for a new link")},
    )
