"""A person's own pages. They show what the ledger and the tables hold, and call services."""

from typing import Any

from flask import Blueprint, Response, make_response, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from idp.models import BrowserSession, Credential
from idp.services import sessions
from idp.services.sessions import Live
from idp.services.weighing import credentials_of
from idp.web import cookies
from idp.web.answers import see_other
from idp.web.context import context, live_session, services
from idp.web.guards import demanding, viewer
from idp.web.user_agents import device_name

bp = Blueprint("account", __name__, url_prefix="/me")
SHOWN = 3


def frame() -> dict[str, Any]:
    """What the frame of every account page shows."""
    live, user = viewer()
    admin = live.role is not None
    return {
        "viewer": {"name": user.name, "email": user.email, "admin": admin},
        "nav": {
            "home": url_for("account.home"),
            "security": url_for("account.home"),
            "passkeys": url_for("account.home"),
            "sessions": url_for("account.sessions_page"),
            "apps": url_for("account.home"),
            "activity": url_for("account.home"),
            "sign_out": url_for("account.sign_out"),
            "admin": None,
        },
    }


@bp.get("")
@demanding()
def home() -> Response:
    """Who is signed in, how, and where."""
    live, user = viewer()
    listed = sessions.listed(user.id, context().at)
    page = render_template(
        "account/home.html",
        **frame(),
        suggestion=None,
        methods=_methods(credentials_of(user)),
        sessions=[_session(one, live) for one in listed[:SHOWN]],
        session_count=len(listed),
        apps=[],
    )
    return make_response(page)


def _methods(credentials: Any) -> list[dict[str, Any]]:
    """The person's ways to sign in, in the order of the house; those she has none of left out."""
    found = []
    for name in services().factors:
        mine = [one for one in credentials if one.kind == name and one.used_at is None]
        if mine:
            found.append({"method": name, "enrolled": True, "state": _state(mine), "url": None})
    return found


def _state(mine: list[Credential]) -> str:
    if len(mine) == 1:
        return str(_("Set up %(day)s", day=mine[0].created_at.strftime("%-d %B %Y")))
    return str(ngettext("%(num)s of them", "%(num)s of them", len(mine)))


def _session(session: BrowserSession, live: Live) -> dict[str, Any]:
    return {
        "id": session.id,
        "device": device_name(session.user_agent),
        "place": session.address or None,
        "method": _("Kept signed in") if session.persistent else _("Until the browser closes"),
        "started": session.created_at,
        "last_active": session.last_seen_at,
        "current": session.id == live.id,
        "apps": [],
        "remembered": session.persistent,
        "end_url": None
        if session.id == live.id
        else url_for("account.end_session", session_id=session.id),
    }


@bp.get("/sessions")
@demanding()
def sessions_page() -> Response:
    """Every browser that is signed in."""
    live, user = viewer()
    listed = [_session(one, live) for one in sessions.listed(user.id, context().at)]
    page = render_template(
        "account/sessions.html",
        **frame(),
        sessions=listed,
        end_others=url_for("account.end_others") if len(listed) > 1 else None,
        after=None,
    )
    return make_response(page)


@bp.post("/sessions/<session_id>/end")
@demanding()
def end_session(session_id: str) -> Response:
    """End one session of one's own; another person's is not found."""
    _live, user = viewer()
    sessions.end(session_id, user_id=user.id, context=context(), reason="by_owner")
    services().commit()
    return see_other(url_for("account.sessions_page"))


@bp.post("/sessions/end-others")
@demanding()
def end_others() -> Response:
    """End all but this one."""
    live, user = viewer()
    sessions.end_all(user.id, context=context(), except_id=live.id, reason="by_owner")
    services().commit()
    return see_other(url_for("account.sessions_page"))


@bp.post("/sign-out")
def sign_out() -> Response:
    """End this browser's session."""
    live = live_session()
    if live is not None:
        sessions.end(live.id, user_id=live.user_id, context=context(), reason="signed_out")
        services().commit()
    response = see_other(url_for("account.signed_out"))
    cookies.clear_session(response)
    return response


@bp.get("/signed-out")
def signed_out() -> Response:
    """Say that it is done."""
    page = render_template(
        "login/signed_out.html",
        app=None,
        user=None,
        asking=False,
        action=None,
        still=[],
        next={"url": url_for("login.start"), "label": _("Sign in again")},
    )
    return make_response(page)
