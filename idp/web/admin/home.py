"""The console's first page: the state in words, and the one thing worth doing now."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Response, current_app, url_for
from flask_babel import gettext as _

from idp.models import User, release
from idp.services.holdings import credentials_of
from idp.services.overview import MOST, counts, last_sign_ins
from idp.services.passkeys import METHOD
from idp.services.roles import Area, Permission
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.admin.health import finding_view
from idp.web.answers import see_other
from idp.web.context import context, services
from idp.web.guards import viewer


@bp.get("/")
@console(Area.CLIENTS)
def folder() -> Response:
    """As people type it."""
    return see_other(url_for("admin.home"))


@bp.get("")
@console(Area.CLIENTS)
def home() -> Response:
    """What is here, how it is, and who came last; each for those whose role includes it."""
    findings = _findings() if may(Permission(Area.HEALTH)) else []
    _live, user = viewer()
    there = counts() if may(Permission(Area.PEOPLE)) else {}
    return page(
        "admin/home.html",
        section="admin.home",
        findings=findings,
        suggestion=next(_suggestions(user, findings, there), None),
        counts={name: _about(number) for name, number in there.items()},
        there=there,
        sign_ins=last_sign_ins(services().factors) if may(Permission(Area.AUDIT)) else [],
    )


def _findings() -> Sequence[Mapping[str, str]]:
    release()
    return [finding_view(one) for one in services().health.glance(context().at)]


def _about(number: int) -> str:
    return f"{MOST}+" if number > MOST else str(number)


def _suggestions(
    user: User, findings: Sequence[Mapping[str, str]], there: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """What is worth doing, the most pressing first."""
    if all(held.kind != METHOD for held in credentials_of(user)):
        text = _("Your account can change everything here. Protect it with a passkey now.")
        yield _suggestion(text, "account.passkeys", _("Add a passkey"))
    for one in findings:
        if one["state"] == "problem":
            text = _("%(what)s needs attention: %(text)s", what=one["title"], text=one["text"])
            yield _suggestion(text, "admin.health", _("See health"))
    if services().settings.mail_url is None and findings:
        text = _("No mail can be sent yet: nobody can be invited, or get back in by a link.")
        yield _suggestion(text, "admin.health", _("See health"))
    if there.get("clients") == 0:
        text = _("Connect the first application: it takes a minute.")
        yield from _where_there_is(text, "admin.clients", _("Connect an application"))
    if there.get("administrators") == 1:
        text = _("You are the only administrator. A second one can let you in again.")
        yield from _where_there_is(text, "admin.people", _("See people"))


def _where_there_is(text: str, endpoint: str, label: str) -> Iterator[dict[str, Any]]:
    if endpoint in current_app.view_functions:
        yield _suggestion(text, endpoint, label)


def _suggestion(text: str, endpoint: str, label: str) -> dict[str, Any]:
    return {"text": text, "url": url_for(endpoint), "label": label}
