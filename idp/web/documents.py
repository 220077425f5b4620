"""Public documents: cached and revalidated."""

from flask import request

from idp.web.responses import Response


def document(body: bytes, *, etag: str, max_age: int) -> Response:
    """JSON that may be kept for ``max_age`` seconds; 304 when the caller has it already."""
    headers = {"ETag": f'"{etag}"', "Cache-Control": f"public, max-age={max_age}"}
    response = Response(body, headers=headers, content_type="application/json")
    if "If-None-Match" in request.headers:
        response.make_conditional(request)
    return response
