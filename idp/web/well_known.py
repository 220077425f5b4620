"""The documents by which relying parties find everything else."""

from flask import Blueprint, Response

from idp.web.context import services
from idp.web.documents import document

bp = Blueprint("well_known", __name__, url_prefix="/.well-known")

MAX_AGE = 3600
"""Seconds that the metadata may be kept."""


@bp.get("/openid-configuration")
@bp.get("/oauth-authorization-server")
def metadata() -> Response:
    """OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3: one document at both places."""
    found = services().provider.metadata
    return document(found.body, etag=found.etag, max_age=MAX_AGE)
