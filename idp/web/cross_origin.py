"""Which answers scripts of other origins may read (Fetch Standard, CORS): by address alone.

So that whatever comes of a request may be read as well: a refusal, a 405, a 503.
"""

from typing import Final

from flask import Flask, Response, request

from idp.config import Settings
from idp.oidc.capabilities import endpoints_of

MAX_AGE: Final = 3600
"""Seconds that a browser may remember a preflight's answer."""

READABLE: Final = (
    *("token", "userinfo", "jwks", "revocation", "registration"),
    *("pushed_authorization_request", "device_authorization"),
)
"""What browser clients call by script. People go to the others, and servers ask introspection."""

FOLDERS: Final = ("/.well-known/", "/api/v1/")

_REQUEST_HEADERS: Final = "Authorization, Content-Type, DPoP, If-Match, Idempotency-Key"
_ANSWER_HEADERS: Final = "WWW-Authenticate, DPoP-Nonce, Retry-After, ETag, Link, Location"


def install(app: Flask, settings: Settings) -> None:
    """Mark the answers of ``app``.

    That is safe where nothing but what the script itself sends counts: no cookie is looked at, so
    ``*`` without credentials gives away nothing that the caller did not have.
    """
    there = endpoints_of(settings)
    endpoints = {getattr(there, name) for name in READABLE} - {None}

    @app.after_request
    def mark(response: Response) -> Response:
        path = request.path
        below = path.startswith((*FOLDERS, *(f"{one}/" for one in endpoints)))
        return _readable(response) if path in endpoints or below else response


def _readable(response: Response) -> Response:
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS":
        allowed = sorted(set(response.allow) - {"OPTIONS", "HEAD"})
        headers["Access-Control-Allow-Methods"] = ", ".join(allowed)
        headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
        headers["Access-Control-Max-Age"] = str(MAX_AGE)
    else:
        headers["Access-Control-Expose-Headers"] = _ANSWER_HEADERS
    return response
