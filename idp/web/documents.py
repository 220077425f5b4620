"""Public documents: cached and revalidated."""

from flask import Response, request


def document(body: bytes, *, etag: str, max_age: int) -> Response:
    """JSON that may be kept for ``max_age`` seconds; 304 when the caller has it already."""
    response = Response(body, mimetype="application/json")
    response.set_etag(etag)
    response.cache_control.public = True
    response.cache_control.max_age = max_age
    response.make_conditional(request)
    return response
