"""/me/sessions: every browser that is signed in, and the ways out."""

from collections.abc import Iterable
from typing import Any

from flask import Response, abort, url_for
from flask_babel import gettext as _

from idp.services.session_list import SessionView, session_list
from idp.services.sessions import Live
from idp.services.signing_out import end_others as end_all_others
from idp.services.signing_out import end_session as end_one
from idp.web import parting
from idp.web.account.blueprint import bp, page
from idp.web.answers import see_other
from idp.web.context import context, live_session, services
from idp.web.guards import demanding, viewer
from idp.web.user_agents import device_name
from idp.web.words import listed, phrase


def session_views(listed: Iterable[SessionView], live: Live) -> list[dict[str, Any]]:
    """Sessions as templates show them, this one first."""
    ordered = sorted(listed, key=lambda one: one.id != live.id)
    return [_view(one, is_current=one.id == live.id) for one in ordered]


def _view(one: SessionView, *, is_current: bool) -> dict[str, Any]:
    return {
        "id": one.id,
        "device": device_name(one.user_agent),
        "place": one.address or None,
        "method": _("Signed in with %(ways)s", ways=_ways(one)),
        "started": one.started,
        "last_active": one.last_seen,
        "current": is_current,
        "apps": [],
        "remembered": one.persistent,
        "end_url": None if is_current else url_for("account.end_session", session_id=one.id),
    }


def _ways(one: SessionView) -> str:
    return listed([phrase(method) for method in one.methods], _("and"))


@bp.get("/sessions")
@demanding()
def sessions_page() -> Response:
    """Every browser that is signed in, and the apps that were reached from it."""
    live, user = viewer()
    now = context().at
    reached = services().connected_apps.names_by_session(user.id, now)
    listed = session_views(session_list(user.id, services().settings, now), live)
    shown = [one | {"apps": reached.get(one["id"], [])} for one in listed]
    others = len(shown) > 1
    return page(
        "account/sessions.html",
        sessions=shown,
        end_others=url_for("account.end_others") if others else None,
        after=_after() if others else None,
    )


def _after() -> str:
    text = _(
        "Apps that were reached from there lose their access at once. Some may still show you as"
        " signed in until they next ask us."
    )
    return str(text)


@bp.post("/sessions/<session_id>/end")
@demanding(back="account.sessions_page")
def end_session(session_id: str) -> Response:
    """End one session of one's own; another person's is not found."""
    _live, user = viewer()
    if not end_one(session_id, user_id=user.id, context=context(), reason="by_owner"):
        abort(404)
    services().commit()
    return see_other(url_for("account.sessions_page"))


@bp.post("/sessions/end-others")
@demanding(back="account.sessions_page")
def end_others() -> Response:
    """End all but this one."""
    live, user = viewer()
    end_all_others(user.id, except_id=live.id, context=context(), reason="by_owner")
    services().commit()
    return see_other(url_for("account.sessions_page"))


@bp.post("/sign-out")
def sign_out() -> Response:
    """End this browser's session."""
    live = live_session()
    return parting.leave(live) if live else see_other(url_for("signed_out.page"))
