"""Public documents: cached and revalidated."""

from flask import request

from idp.web.responses import Response


def document(body: bytes, *, etag: str, max_age: int) -> Response:
    """JSON that may be kept for ``max_age`` seconds; 304 when the caller has it already."""
    response = Response(body, content_type="application/json")
    response.beside = (("ETag", f'"{etag}"'), ("Cache-Control", f"public, max-age={max_age}"))
    if "HTTP_IF_NONE_MATCH" in request.environ:
        response.set_etag(etag)
        response.make_conditional(request)
    return response
