"""Is it alive, and is it ready: for whoever runs it."""

from flask import Blueprint, Response, jsonify, url_for
from sqlalchemy import select, text

from idp import migrate
from idp.models import Fact, db
from idp.models.base import only_reads
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
    """The database answers and its schema is one that this code works over; else 503."""
    only_reads()
    found = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    if found == services().schema_revision:
        return jsonify(status="ready")
    if not migrate.knows(found) and migrate.reads(found, _readers()):
        return jsonify(status="ready", found=found, expected=services().schema_revision)
    response = jsonify(status="schema", found=found, expected=services().schema_revision)
    response.status_code = 503
    return response


def _readers() -> str | None:
    """Asked of a newer database, which has the table: migrations know how to make it."""
    return db.session.scalar(select(Fact.value).where(Fact.name == migrate.READERS))
