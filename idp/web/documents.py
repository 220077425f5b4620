"""Public documents: cached, revalidated, and readable from any page."""

from flask import Response, request

CORS_MAX_AGE = 3600
"""Seconds that a browser may remember a preflight's answer."""


def document(body: bytes, *, etag: str, max_age: int) -> Response:
    """JSON that may be kept for ``max_age`` seconds; 304 when the caller has it already."""
    response = Response(body, mimetype="application/json")
    response.set_etag(etag)
    response.cache_control.public = True
    response.cache_control.max_age = max_age
    response.make_conditional(request)
    return response


def allow_any_origin(response: Response) -> Response:
    """Let scripts of any origin read the answer (Fetch Standard, CORS).

    That is safe where nothing but what the script itself sends counts: no cookie is looked at, so
    ``*`` without credentials gives away nothing that the caller did not have.
    """
    response.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, DPoP"
        response.headers["Access-Control-Max-Age"] = str(CORS_MAX_AGE)
    else:
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate, DPoP-Nonce"
    return response
