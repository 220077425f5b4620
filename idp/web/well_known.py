"""The documents by which relying parties find everything else."""

import json
from datetime import datetime

from flask import Blueprint, Response, abort, request

from idp.oidc.documents import Document, LiveDocument
from idp.protocol.text import is_clean
from idp.protocol.webfinger import descriptor
from idp.web.context import services
from idp.web.documents import document

bp = Blueprint("well_known", __name__, url_prefix="/.well-known")

MAX_AGE = 3600
"""Seconds that the metadata may be kept."""


@bp.get("/openid-configuration")
@bp.get("/oauth-authorization-server")
def metadata() -> Response:
    """OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3: one document at both places."""
    return _live(services().provider.metadata)


@bp.get("/oauth-protected-resource")
def resource() -> Response:
    """RFC 9728 section 3: our own API."""
    return _live(services().provider.resource)


def _live(made: LiveDocument) -> Response:
    settings = services().changed_settings

    def source(now: datetime) -> Document | None:
        return None if settings.is_due(now) else made.now()

    return document(made.now(), max_age=MAX_AGE, source=source)


@bp.get("/webfinger")
def webfinger() -> Response:
    """RFC 7033 section 4, for OpenID Connect Discovery 1.0 section 2."""
    asked = request.args.getlist("resource")
    if len(asked) != 1 or not is_clean(asked[0]):
        abort(400)
    found = descriptor(asked[0], request.args.getlist("rel"), issuer=services().settings.issuer)
    if found is None:
        abort(404)
    return Response(json.dumps(found), mimetype="application/jrd+json")
