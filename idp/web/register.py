"""Accounts that people make for themselves, where the settings allow it."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for
from flask_babel import gettext as _

from idp.factors.base import Refused
from idp.services.invalid import Invalid
from idp.services.registration import LIFETIME, Verified
from idp.web import errors
from idp.web.context import context, services
from idp.web.forms import submitted
from idp.web.models import back_to_sign_in, errors_of
from idp.web.onward import ACCOUNT_MADE, to_sign_in

bp = Blueprint("register", __name__, url_prefix="/login")
P = ParamSpec("P")


def where_open(view: Callable[P, Response]) -> Callable[P, Response]:
    """404 where people cannot register: it is off, or no link could be mailed."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        settings = services().settings
        if not (settings.registration and settings.mails):
            abort(404)
        return view(*args, **kwargs)

    return guarded


@bp.get("/register")
@where_open
def form() -> Response:
    """The address first: the account is made once it is shown to be theirs."""
    return _form()


def _form(refused: Refused | None = None, address: str = "") -> Response:
    page = render_template(
        "login/register.html",
        app=None,
        action=url_for("register.request_link", sign_in=request.args.get("sign_in")),
        values={"username": address},
        links={"back": back_to_sign_in()},
        errors=errors_of(refused),
    )
    return make_response(page, 422 if refused else 200)


@bp.post("/register")
@where_open
def request_link() -> Response:
    """Mail the link; an address that has an account already gets a word about that instead."""
    address = submitted().get("username", "").strip()[:320]
    refused = services().registration.request(
        address, context(), transaction_id=request.args.get("sign_in")
    )
    if refused is not None:
        return _form(refused, address)
    page = render_template(
        "login/check_email.html",
        purpose="verify",
        address=address,
        minutes=int(LIFETIME.total_seconds()) // 60,
        wait=None,
        action=None,
        links={
            "change": url_for("register.form", sign_in=request.args.get("sign_in")),
            "back": back_to_sign_in(),
        },
    )
    return make_response(page)


@bp.get("/verify/<token>")
@where_open
def opened(token: str) -> Response:
    """The link was opened; nothing is used up yet."""
    verified = services().registration.peek(token, context().at)
    return _details(token, verified) if verified else _gone()


def _details(token: str, verified: Verified, problems: Invalid | None = None) -> Response:
    found = problems.problems if problems else {}
    page = render_template(
        "login/new_account.html",
        action=url_for("register.finish", token=token),
        address=verified.email,
        minimum=verified.minimum,
        values={"name": submitted().get("name", "") if problems else ""},
        errors=[{"field": name, "message": _(text)} for name, text in found.items()],
    )
    return make_response(page, 422 if problems else 200)


@bp.post("/verify/<token>")
@where_open
def finish(token: str) -> Response:
    """Make the account and lead on to the sign-in it was made for."""
    registration, fields = services().registration, submitted()
    verified = registration.peek(token, context().at)
    if verified is None:
        return _gone()
    try:
        made = registration.finish(
            token,
            name=fields.get("name", ""),
            new_password=fields.get("new_password", ""),
            context=context(),
        )
    except Invalid as problems:
        return _details(token, verified, problems)
    if isinstance(made, Refused):
        return _gone()
    return to_sign_in(verified.email, verified.transaction_id, ACCOUNT_MADE)


def _gone() -> Response:
    return errors.page(
        _("This link no longer works"),
        status=410,
        detail=_("It was used, or a newer one replaced it, or its time is over."),
        back={"url": url_for("register.form"), "label": _("Ask for a new link")},
    )
