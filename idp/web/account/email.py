"""/me/security/email: another address, which a link sent there confirms."""

from collections.abc import Callable
from functools import wraps

from flask import Response, flash, url_for
from flask_babel import gettext as _

from idp.factors.base import Refused
from idp.services.throttle import Wait
from idp.web.account.blueprint import bp, page
from idp.web.answers import problem, see_other, wants_json
from idp.web.context import context, services
from idp.web.forms import submitted
from idp.web.guards import secured, viewer
from idp.web.models import errors_of
from idp.web.words import refusal


def where_mailed(view: Callable[[], Response]) -> Callable[[], Response]:
    """Where no mail is sent, no link confirms an address: say who else can change it."""

    @wraps(view)
    def guarded() -> Response:
        if services().settings.mails:
            return view()
        message = _("No mail is sent from here. Your administrator can change your address.")
        if wants_json():
            return problem(403, "no_mail", message)
        flash(message)
        return see_other(url_for("account.security"))

    return guarded


@bp.get("/security/email")
@secured()
@where_mailed
def email() -> Response:
    """Which address, and whether another one is waited for."""
    return _page()


def _page(refused: Refused | None = None, typed: str = "", status: int = 200) -> Response:
    if refused is not None and wants_json():
        return problem(status, refused.reason, refusal(refused))
    _live, user = viewer()
    waiting = services().email_change.pending(user, context().at)
    pending = {"address": waiting, "cancel": url_for("account.forget_email")} if waiting else None
    return page(
        "account/email.html",
        status=status,
        action=url_for("account.change_email"),
        values={"email": typed},
        pending=pending,
        errors=errors_of(refused),
    )


@bp.post("/security/email")
@secured(back="account.email")
@where_mailed
def change_email() -> Response:
    """Mail the link. What is said here does not tell whether the address is anybody's."""
    live, user = viewer()
    typed = submitted().get("email", "").strip()[:320]
    outcome = services().email_change.request(user, typed, context(), session_id=live.id)
    if isinstance(outcome, Refused):
        return _page(outcome, typed, 422)
    if isinstance(outcome, Wait):
        message = _("Too many mails. Wait %(minutes)s minutes.", minutes=outcome.minutes)
        return _page(Refused("too_many", message, "email"), typed, 429)
    return see_other(url_for("account.email"))


@bp.post("/security/email/forget")
@secured(back="account.email")
def forget_email() -> Response:
    """The link shall not change anything any more."""
    _live, user = viewer()
    services().email_change.forget(user, context())
    return see_other(url_for("account.email"))
