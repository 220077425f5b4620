"""/metrics, for Prometheus: on the same port, for who shows the token or asks from the inside."""

import hmac
from ipaddress import ip_address
from time import perf_counter
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    before_render_template,
    g,
    request,
    template_rendered,
)
from sqlalchemy import event

from idp import capacity, measures
from idp.models import db
from idp.web.context import services

bp = Blueprint("metrics", __name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@bp.get("/metrics")
def exposed() -> Response:
    """Every worker's figures, whichever of them is asked."""
    listener = measures.heard()
    if listener is None or not services().settings.metrics:
        abort(404)
    if not (_shows_the_token() or _is_inside()):
        return Response(
            "Not for you.\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain"
        )
    found = services().figures.look(g.now)
    return Response(
        listener.exposed(found), headers={"Cache-Control": "no-store"}, content_type=CONTENT_TYPE
    )


def _shows_the_token() -> bool:
    wanted = services().settings.metrics_token
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if wanted is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(shown.strip().encode(), wanted.encode())


def _is_inside() -> bool:
    """A scraper comes straight: what came through a proxy is from outside, whoever trusts it."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return False
    return any(address in network for network in services().settings.metrics_networks)


def in_this_process() -> None:
    """Tell how much there is of what a worker has for itself."""
    listener = measures.heard()
    if listener is None:
        return
    gates = capacity.gates()
    listener.gauge("idp_hashing", sum(one.working for one in gates), "working")
    listener.gauge("idp_hashing", sum(one.waiting for one in gates), "waiting")
    pool: Any = db.engine.pool  # of every kind that is used here
    listener.gauge("idp_pool_connections", pool.checkedout(), "in_use")
    listener.gauge("idp_pool_connections", pool.checkedin(), "idle")
    listener.gauge("idp_worker_memory_bytes", _resident())


def _resident() -> int:
    """Bytes; 0 where there is no /proc."""
    try:
        with open("/proc/self/statm", encoding="ascii") as told:
            return int(told.read().split()[1]) * _PAGE
    except OSError:
        return 0


_PAGE = 4096


def install(app: Flask) -> None:
    """Time the database and the templates, where anybody listens; else nothing is in their way."""
    if measures.heard() is None:
        return
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", _asked)
        event.listen(db.engine, "after_cursor_execute", _answered)
    before_render_template.connect(_rendering, app)
    template_rendered.connect(_rendered, app)


def _asked(
    _connection: Any, _cursor: Any, _text: str, _values: Any, context: Any, _many: bool
) -> None:
    context.idp_began = perf_counter()


def _answered(
    _connection: Any, _cursor: Any, _text: str, _values: Any, context: Any, _many: bool
) -> None:
    measures.waited_for_database(perf_counter() - context.idp_began)


def _rendering(_app: Flask, **_what: object) -> None:
    g.rendering = perf_counter()


def _rendered(_app: Flask, **_what: object) -> None:
    measures.took("render", perf_counter() - g.rendering)
