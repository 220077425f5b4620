"""Is it alive, and is it ready: for whoever runs it."""

from flask import Blueprint, Response, jsonify
from sqlalchemy import text

from idp.models import db
from idp.models.base import only_reads
from idp.web.context import services

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> Response:
    """The process answers; nothing else is asked."""
    return jsonify(status="ok")


@bp.get("/readyz")
def ready() -> Response:
    """The database answers and its schema is this code's; else 503."""
    only_reads()
    found = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    if found == services().schema_revision:
        return jsonify(status="ready")
    response = jsonify(status="schema", found=found, expected=services().schema_revision)
    response.status_code = 503
    return response
