"""Which answers scripts of other origins may read (Fetch Standard, CORS): by address alone.

So that whatever comes of a request may be read as well: a refusal, a 405, a 503.
"""

from typing import Final

from flask import Flask

from idp.config import Settings
from idp.oidc.capabilities import endpoints_of
from idp.web import here
from idp.web.responses import Beside, Header, Response, named

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
_ANYBODY: Final[Header] = ("Access-Control-Allow-Origin", "*")
_READABLE: Final = named(_ANYBODY, ("Access-Control-Expose-Headers", _ANSWER_HEADERS))


def install(app: Flask, settings: Settings) -> None:
    """Mark the answers of ``app``.

    That is safe where nothing but what the script itself sends counts: no cookie is looked at, so
    ``*`` without credentials gives away nothing that the caller did not have.
    """
    there = endpoints_of(settings)
    endpoints = frozenset(getattr(there, name) for name in READABLE) - {None}
    folders = (*FOLDERS, *(f"{one}/" for one in endpoints))

    @app.after_request
    def mark(response: Response) -> Response:
        asked = here.asked()
        if asked.path in endpoints or asked.path.startswith(folders):
            is_preflight = asked.method == "OPTIONS"
            response.say_beside(_preflight(response) if is_preflight else _READABLE)
        return response


def _preflight(response: Response) -> Beside:
    allowed = sorted(set(response.allow) - {"OPTIONS", "HEAD"})
    return named(
        _ANYBODY,
        ("Access-Control-Allow-Methods", ", ".join(allowed)),
        ("Access-Control-Allow-Headers", _REQUEST_HEADERS),
        ("Access-Control-Max-Age", str(MAX_AGE)),
    )
