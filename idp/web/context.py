"""What a request tells about itself: the time, the network address, its id."""

import re
from secrets import token_hex

from flask import Request, abort, current_app, g, request
from flask.globals import request_ctx

from idp import logs
from idp.audit import Context
from idp.services.sessions import Live
from idp.web import cookies, trace_context
from idp.web.services import Services

_AS_STARTED = frozenset(
    {"static", "health.alive", "health.ready", "metrics.exposed", "pictures.serve"}
)
"""Endpoints that no setting has a part in: they ask the database nothing of their own."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def services() -> Services:
    """Everything the views call."""
    # Past the proxy, here and below: it costs many times what is looked up through it.
    found: Services = current_app._get_current_object().extensions["idp"]  # type: ignore[attr-defined]
    return found


def start() -> None:
    """Fix the request's id and instant: one request sees one time."""
    asked, here = request_ctx.request, g._get_current_object()
    here.request_id = _request_id(asked.environ.get("HTTP_X_REQUEST_ID"))
    here.now = services().clock()
    logs.about.set(_about(asked, here.request_id))
    if "\0" in asked.path:  # names nothing, and PostgreSQL cannot even be asked
        abort(404)
    if asked.endpoint not in _AS_STARTED:
        services().changed_settings.refresh(here.now)


def _request_id(given: str | None) -> str:
    return given if given and _REQUEST_ID.fullmatch(given) else token_hex(8)


def _about(asked: Request, request_id: str) -> dict[str, str]:
    """The ids that every line of the log carries from here on, until the next request."""
    ids = {"request_id": request_id}
    parent = asked.environ.get("HTTP_TRACEPARENT")
    if parent and (trace := trace_context.trace_id(parent)):
        ids["trace_id"] = trace
    if asked.view_args and (transaction_id := asked.view_args.get("transaction_id")):
        ids["transaction_id"] = transaction_id
    return ids


def context() -> Context:
    """The circumstances that services and the audit log are told, made once a request."""
    here = g._get_current_object()
    found: Context | None = here.get("context")
    if found is None:
        found = here.context = Context(
            at=here.now,
            address=request.remote_addr or "",
            user_agent=request.environ.get("HTTP_USER_AGENT", "")[:400],
            request_id=here.request_id,
        )
    return found


def live_session(client_id: str | None = None) -> Live | None:
    """The session this browser presents, read once a request: with what is seen of a client."""
    here = g._get_current_object()
    if "live" not in here:
        token = cookies.read(cookies.SESSION)
        here.live = services().sessions.present(token, here.now, client_id=client_id)
    live: Live | None = here.live
    return live


def present_anew(token: str, live: Live | None = None) -> None:
    """From here on this request goes by the session that ``token`` names: ``live``, if known."""
    g.live = live or services().sessions.present(token, g.now)
