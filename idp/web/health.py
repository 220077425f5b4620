"""Is it alive, and is it ready: for whoever runs it."""

from flask import Blueprint, Response, jsonify, url_for
from sqlalchemy import select, text

from idp import migrate
from idp.clock import SteadyClock
from idp.models import Fact, db
from idp.models.base import only_reads
from idp.models.standby import on_standby
from idp.web.answers import redirect_to
from idp.web.context import services

bp = Blueprint("health", __name__)


@bp.get("/")
def front_door() -> Response:
    """Whoever comes by the bare address is shown her own account."""
    return redirect_to(url_for("account.home"))


@bp.get("/healthz")
def alive() -> Response:
    """The process answers; nothing else is asked."""
    return jsonify(status="ok")


@bp.get("/readyz")
def ready() -> Response:
    """The clock is right, the database answers, its schema is one that this code works over."""
    if behind := _behind():
        return _unready(status="clock", behind=behind)
    only_reads()
    found = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    told: dict[str, object] = {}
    if found != services().schema_revision:
        told = {"found": found, "expected": services().schema_revision}
        if not (found in migrate.own() or _is_newer_and_read(found)):
            return _unready(status="schema", **told)
    if on_standby(db.session.connection()):
        told["database"] = "read-only"
    return jsonify(status="ready", **told)


def _unready(**told: object) -> Response:
    response = jsonify(told)
    response.status_code = 503
    return response


def _behind() -> int:
    """Seconds that this machine's clock was set back since the process began."""
    clock = services().clock
    return int(clock.behind.total_seconds()) if isinstance(clock, SteadyClock) else 0


def _is_newer_and_read(found: str) -> bool:
    if migrate.knows(found):
        return False  # it may be so old that it has no table to say more
    readers = db.session.scalar(select(Fact.value).where(Fact.name == migrate.READERS))
    return migrate.reads(found, readers)
