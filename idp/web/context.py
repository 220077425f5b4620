"""What a request tells about itself: the time, the network address, its id."""

import re
from secrets import token_hex
from wsgiref.types import WSGIEnvironment

from flask import abort
from flask.globals import _cv_app

from idp import logs
from idp.audit import Context
from idp.services.sessions import Live
from idp.web import cookies, here, trace_context
from idp.web.services import Services

_AS_STARTED = frozenset(
    {"static", "health.alive", "health.ready", "metrics.exposed", "pictures.serve"}
)
"""Endpoints that no setting has a part in: they ask the database nothing of their own."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def services() -> Services:
    """Everything the views call."""
    found: Services = _cv_app.get().app.extensions["idp"]  # as ``here`` looks, by one call less
    return found


def start() -> None:
    """Fix the request's id and instant: one request sees one time."""
    asked, known = here.asked(), services()
    ids = ids_of(asked.environ)
    circumstances = Context(
        at=known.clock(),
        address=asked.remote_addr or "",
        user_agent=asked.environ.get("HTTP_USER_AGENT", "")[:400],
        request_id=ids["request_id"],
    )
    now, request_id = circumstances.at, circumstances.request_id
    vars(here.own()).update(context=circumstances, now=now, request_id=request_id)
    if asked.view_args and (transaction_id := asked.view_args.get("transaction_id")):
        ids["transaction_id"] = transaction_id
    logs.about.set(ids)
    if "\0" in asked.path:  # names nothing, and PostgreSQL cannot even be asked
        abort(404)
    if asked.endpoint not in _AS_STARTED:
        known.changed_settings.refresh(now)


def ids_of(environ: WSGIEnvironment) -> dict[str, str]:
    """The ids that every line of the log carries until the next request: its own, its trace's."""
    given = environ.get("HTTP_X_REQUEST_ID")
    ids = {"request_id": given if given and _REQUEST_ID.fullmatch(given) else token_hex(8)}
    parent = environ.get("HTTP_TRACEPARENT")
    if parent and (trace := trace_context.trace_id(parent)):
        ids["trace_id"] = trace
    return ids


def context() -> Context:
    """The circumstances that services and the audit log are told."""
    found: Context = _cv_app.get().g.context
    return found


def live_session(client_id: str | None = None) -> Live | None:
    """The session this browser presents, read once a request: with what is seen of a client."""
    own = vars(here.own())
    if "live" not in own:
        token = cookies.read(cookies.SESSION)
        own["live"] = services().sessions.present(token, own["now"], client_id=client_id)
    live: Live | None = own["live"]
    return live


def present_anew(token: str, live: Live | None = None) -> None:
    """From here on this request goes by the session that ``token`` names: ``live``, if known."""
    own = here.own()
    own.live = live or services().sessions.present(token, own.now)
