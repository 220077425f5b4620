"""/pictures/<name>: what administrators uploaded, sent as nothing but a picture."""

import re
from typing import Final

from flask import Blueprint, Response, abort

from idp.models import only_reads, release
from idp.services import pictures

bp = Blueprint("pictures", __name__)

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@bp.get(f"{pictures.PATH}<name>")
def serve(name: str) -> Response:
    """It never changes: another picture has another name.

    Whatever else its bytes may be to somebody, no browser runs it: the type is ours and not to be
    guessed at (nosniff, on every answer), and opened by itself it is in a sandbox.
    """
    if not _NAME.fullmatch(name):
        abort(404)
    only_reads()
    found = pictures.find(name)
    release()
    if found is None:
        abort(404)
    response = Response(found.body, content_type=found.media_type)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Content-Disposition"] = "inline"
    return response
