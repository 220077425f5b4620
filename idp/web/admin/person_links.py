"""Links that let somebody in again: mailed, or shown once to hand over."""

from collections.abc import Callable
from typing import Final

from flask import Response, flash, url_for
from flask_babel import gettext as _

from idp.audit import Context
from idp.models import User
from idp.services.handed_links import LIFETIME
from idp.services.reset import LIFETIME_BY_HAND
from idp.services.roles import Area
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console
from idp.web.admin.person import found, person_page
from idp.web.answers import redirect_to
from idp.web.context import context, services
from idp.web.guards import viewer

SIGN_IN: Final = "to sign in"
ANEW: Final = "to set a password"
"""What a link is for."""


@bp.post("/people/<user_id>/mail-link")
@console(Area.PEOPLE, writes=True, back="admin.person")
def mail_link(user_id: str) -> Response:
    """To the address of the account, which following it verifies."""
    user = found(user_id)
    if (problem := _problem(user, by_mail=True)) is not None:
        return person_page(user, {"link": problem})
    services().password_reset.send(user, acting())
    flash(_("A link is on its way to %(email)s.", email=user.email))
    return redirect_to(url_for(".person", user_id=user.id))


@bp.post("/people/<user_id>/link")
@console(Area.PEOPLE, writes=True, back="admin.person")
def make_link(user_id: str) -> Response:
    """To set a password: shown on the next page, to whoever made it and nobody else."""
    return _made(user_id, services().password_reset.link, ANEW)


@bp.post("/people/<user_id>/sign-in-link")
@console(Area.PEOPLE, writes=True, back="admin.person")
def make_sign_in_link(user_id: str) -> Response:
    """To sign in once, shown the same way."""
    return _made(user_id, services().handed_links.link, SIGN_IN)


def _made(user_id: str, make: Callable[[User, Context], str], kind: str) -> Response:
    live, _me = viewer()
    user = found(user_id)
    if (problem := _problem(user, by_mail=False)) is not None:
        return person_page(user, {"link": problem})
    kept = {"url": make(user, acting()), "kind": kind}
    services().once.keep(live.id, _kept_as(user), kept, context().at)
    services().commit()
    return redirect_to(url_for(".person_link", user_id=user.id))


@bp.get("/people/<user_id>/link")
@console(Area.PEOPLE, writes=True)
def person_link(user_id: str) -> Response:
    """The link, until it is put away or ten minutes have passed."""
    live, _me = viewer()
    user = found(user_id)
    kept = services().once.show(live.id, _kept_as(user), context().at)
    if kept is None:
        return redirect_to(url_for(".person", user_id=user.id))
    shown = page(
        "admin/person_link.html",
        section="admin.people",
        person={"id": user.id, "name": user.display_name, "email": user.email},
        url=kept["url"],
        signs_in=kept["kind"] == SIGN_IN,
        hours=int(LIFETIME_BY_HAND.total_seconds()) // 3600,
        minutes=int(LIFETIME.total_seconds()) // 60,
        action=url_for(".put_link_away", user_id=user.id),
    )
    shown.headers["Cache-Control"] = "no-store"
    return shown


@bp.post("/people/<user_id>/link/done")
@console(Area.PEOPLE, writes=True, back="admin.person")
def put_link_away(user_id: str) -> Response:
    """It was handed over."""
    live, _me = viewer()
    user = found(user_id)
    services().once.saved(live.id, _kept_as(user), context().at)
    services().commit()
    return redirect_to(url_for(".person", user_id=user.id))


def _kept_as(user: User) -> str:
    return f"link:{user.id}"


def _problem(user: User, *, by_mail: bool) -> str | None:
    if user.disabled_at is not None:
        return str(_("The account is disabled. Enable it first."))
    if by_mail and services().settings.mail_url is None:
        return str(_("No mail can be sent: mail_url is not set. Show a link instead."))
    return None
