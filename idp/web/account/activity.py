"""/me/activity: what happened, as sentences; and "This wasn't me"."""

from typing import Any

from flask import Response, abort, request, url_for
from flask_babel import gettext as _

from idp.assurance import Trait
from idp.factors.base import of_kind
from idp.models import User
from idp.services.activity import GROUPS, Happening, activity, happening
from idp.services.holdings import credentials_of
from idp.services.signing_out import end_others
from idp.web.account.blueprint import bp, page
from idp.web.account.happenings import happening_view, method_of
from idp.web.account.rows import MethodRow, method_rows
from idp.web.answers import see_other
from idp.web.context import context, services
from idp.web.guards import demanding, viewer


@bp.get("/activity")
@demanding()
def activity_page() -> Response:
    """The newest first, a page at a time."""
    _live, user = viewer()
    group = request.args.get("show", GROUPS[0])
    if group not in GROUPS:
        abort(404)
    before, after = _event_id("before"), _event_id("after")
    shown = activity(user.id, group=group, before=before, after=after)
    return page(
        "account/activity.html",
        filters=[_filter(name, group) for name in GROUPS],
        events=[_event(one) for one in shown.happenings],
        older=_at(group, before=shown.older) if shown.older else None,
        newer=_at(group, after=shown.newer) if shown.newer else None,
    )


def _event_id(name: str) -> int | None:
    """At most what a database counts to."""
    value = request.args.get(name, type=int)
    return value if value is not None and 0 < value < 2**63 else None


def _filter(name: str, current: str) -> dict[str, Any]:
    labels = {
        "all": _("All"),
        "sign_ins": _("Sign-ins"),
        "changes": _("Changes"),
        "apps": _("Apps"),
    }
    return {"label": labels[name], "url": _at(name), "current": name == current}


def _at(group: str, *, before: int | None = None, after: int | None = None) -> str:
    shown = group if group != GROUPS[0] else None
    return url_for("account.activity_page", show=shown, before=before, after=after)


def _event(one: Happening) -> dict[str, Any]:
    return happening_view(one) | {
        "dispute_url": url_for("account.dispute", event_id=one.event.id)
        if _can_dispute(one)
        else None
    }


def _can_dispute(one: Happening) -> bool:
    """What somebody did in her name, or tried to."""
    return one.event.actor_id in (None, one.event.user_id)


@bp.get("/activity/<int:event_id>")
@demanding()
def dispute(event_id: int) -> Response:
    """What to do about it, for all that she can sign in with."""
    _live, user = viewer()
    found = happening(user.id, event_id) if event_id < 2**63 else None
    if found is None:
        abort(404)
    return page(
        "account/dispute.html",
        event=happening_view(found),
        action=url_for("account.take_back_control"),
        password=_has_known(user),
        rows=_doubted(user, method_of(found.event)),
    )


def _doubted(user: User, used: str | None) -> list[MethodRow]:
    """What she has, and what was used, first that; without what the one press renews."""
    rows = [
        row
        for row in method_rows(user, credentials_of(user))
        if row.method != _known() and (row.enrolled or row.method == used)
    ]
    return sorted(rows, key=lambda row: row.method != used)


def _known() -> str:
    """The method that rests on something known."""
    return next(
        name for name, one in services().factors.items() if Trait.KNOWLEDGE in one.can_prove
    )


def _has_known(user: User) -> bool:
    return bool(of_kind(credentials_of(user), _known()))


@bp.post("/activity/secure")
@demanding(back="account.activity_page")
def take_back_control() -> Response:
    """Everybody else out, then a new password, or, where there is none, a look at the rest."""
    live, user = viewer()
    end_others(user.id, except_id=live.id, context=context(), reason="disputed")
    services().commit()
    if _has_known(user):
        return see_other(url_for("account.new", method=_known()))
    return see_other(url_for("account.security"))
