"""Step-up authentication (RFC 9470) for a Flask API. To be copied; needs Flask and nothing else.

``verify`` is whatever tells good access tokens from bad ones where you are, and returns the claims
of a good one (``access_tokens.py`` beside this file does)::

    @app.post("/transfers")
    @requires(verify, acr_values=("phr", "urn:idp:acr:mfa"), max_age=300)
    def transfer():
        sub = g.claims["sub"]

A sign-in that is too weak or too old is answered with 401 and what would do. The client sends the
person to the issuer with these ``acr_values`` and ``max_age``, and comes back with another token.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final, ParamSpec

from flask import Response, g, request
from flask.typing import ResponseReturnValue

P = ParamSpec("P")
Claims = Mapping[str, Any]
Verify = Callable[[str], Claims]
"""From a token to its claims. ``ValueError``: a bad token; ``OSError``: who knows, not now."""

LADDER: Final = ("urn:idp:acr:1fa", "urn:idp:acr:mfa", "phr", "phrh")
"""Weakest first: each holds wherever one after it does."""

LEEWAY: Final = 10
"""Seconds by which the issuer's clock and this one may differ."""


def shortfall(
    claims: Claims, *, acr_values: Sequence[str], max_age: int | None, now: float
) -> str | None:
    """Why the sign-in behind a token does not do, in a sentence; None when it does."""
    if acr_values and not any(_reaches(claims.get("acr"), wanted) for wanted in acr_values):
        return "A stronger sign-in is needed."
    if max_age is None:
        return None
    auth_time = claims.get("auth_time")
    # A time that has not come yet says nothing about how long ago it was.
    if isinstance(auth_time, int | float) and -LEEWAY <= now - auth_time <= max_age + LEEWAY:
        return None
    return "A more recent sign-in is needed."


def _reaches(acr: object, wanted: str) -> bool:
    if acr in LADDER and wanted in LADDER:
        return LADDER.index(str(acr)) >= LADDER.index(wanted)
    return acr == wanted


def challenge(error: str | None = None, description: str = "", **parameters: str | int) -> str:
    """The value of ``WWW-Authenticate`` (RFC 6750 section 3, RFC 9470 section 3)."""
    told: dict[str, str | int] = {"realm": "api"}
    if error:
        told |= {"error": error, "error_description": description, **parameters}
    return "Bearer " + ", ".join(f'{name}="{_quotable(told[name])}"' for name in told)


def _quotable(value: str | int) -> str:
    return re.sub(r"[^\x20\x21\x23-\x5b\x5d-\x7e]", "", str(value))


def requires(
    verify: Verify,
    *,
    acr_values: Sequence[str] = (),
    max_age: int | None = None,
    clock: Callable[[], float] = time.time,  # noqa: TID251  a program of its own
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Lets a view run only for a good token, and a sign-in that is strong and recent enough.

    ``acr_values`` in the order of preference, any of them will do; ``max_age`` in seconds, and
    not so few that they pass on the way back from the issuer. The view finds ``g.claims``.
    """
    wanted: dict[str, str | int] = {"acr_values": " ".join(acr_values)} if acr_values else {}
    if max_age is not None:
        wanted["max_age"] = max_age

    def refusal() -> Response | None:
        sent = request.authorization
        if sent is None or sent.type != "bearer" or not sent.token:
            return _unauthorized(challenge())  # RFC 6750 section 3.1: no error code
        try:
            g.claims = verify(sent.token)
        except ValueError as error:
            return _unauthorized(challenge("invalid_token", str(error)))
        except OSError:
            return Response(status=503, headers={"Retry-After": "10"})
        missing = shortfall(g.claims, acr_values=acr_values, max_age=max_age, now=clock())
        if missing is None:
            return None
        return _unauthorized(challenge("insufficient_user_authentication", missing, **wanted))

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            return refusal() or view(*args, **kwargs)

        return guarded

    return decorate


def _unauthorized(www_authenticate: str) -> Response:
    return Response(
        status=401, headers={"WWW-Authenticate": www_authenticate, "Cache-Control": "no-store"}
    )
