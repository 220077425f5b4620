"""The mailed links about an address, opened: looked at without effect, used by a POST.

They work in any browser, signed in or not: whoever holds them has the mailbox.
"""

from flask import Response, make_response, render_template, url_for
from flask_babel import gettext as _

from idp.factors.base import Refused
from idp.web import errors
from idp.web.account.blueprint import bp
from idp.web.context import context, services


@bp.get("/email/<token>")
def open_email(token: str) -> Response:
    """Shall this be the address?"""
    change = services().email_change.peek(token, context().at)
    if change is None:
        return _gone()
    return _question(
        heading=_("Use this email address?"),
        text=_("From now on you sign in with %(address)s.", address=change.to),
        action=url_for("account.confirm_email", token=token),
        button=_("Confirm address"),
    )


@bp.post("/email/<token>")
def confirm_email(token: str) -> Response:
    """It is, from now on."""
    outcome = services().email_change.confirm(token, context())
    if isinstance(outcome, Refused):
        return _gone()
    return _told(
        heading=_("Your email address is changed"),
        text=_("From now on you sign in with %(address)s.", address=outcome.to),
        way_on={"url": url_for("account.security"), "label": _("Go to your account")},
    )


@bp.get("/email/undo/<token>")
def open_undo(token: str) -> Response:
    """Shall the old address be put back?"""
    change = services().email_change.peek_undo(token, context().at)
    if change is None:
        return _gone()
    return _question(
        heading=_("Take the change back?"),
        text=_(
            "%(address)s becomes the address of your account again, and everybody who is signed in"
            " to it is signed out.",
            address=change.to,
        ),
        action=url_for("account.undo_email", token=token),
        button=_("Take it back"),
    )


@bp.post("/email/undo/<token>")
def undo_email(token: str) -> Response:
    """Put it back. Whoever changed it may know the password, so that comes next."""
    outcome = services().email_change.undo(token, context())
    if isinstance(outcome, Refused):
        return _gone()
    return _told(
        heading=_("Your email address is back"),
        text=_(
            "Everybody was signed out. If it wasn’t you who changed it, somebody knows your"
            " password: choose a new one now."
        ),
        way_on={"url": url_for("reset.forgotten"), "label": _("Choose a new password")},
    )


def _question(*, heading: str, text: str, action: str, button: str) -> Response:
    page = render_template(
        "account/question.html", heading=heading, text=text, action=action, button=button
    )
    return make_response(page)


def _told(*, heading: str, text: str, way_on: dict[str, str]) -> Response:
    page = render_template("account/told.html", heading=heading, text=text, way_on=way_on)
    return make_response(page)


def _gone() -> Response:
    return errors.page(
        _("This link no longer works"),
        status=410,
        detail=_("It was used, or a newer one replaced it, or its time is over."),
        back={"url": url_for("account.security"), "label": _("Go to your account")},
    )
