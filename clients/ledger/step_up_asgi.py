"""Step-up authentication (RFC 9470) around any ASGI application. To be copied; needs nothing.

``verify`` is whatever tells good access tokens from bad ones where you are, and returns the claims
of a good one (``access_tokens.py`` beside this file does)::

    transfers = StepUp(app, verify, acr_values=("phr", "urn:idp:acr:mfa"), max_age=300)

A sign-in that is too weak or too old is answered with 401 and what would do. The client sends the
person to the issuer with these ``acr_values`` and ``max_age``, and comes back with another token.
The application finds the claims in ``scope["claims"]``.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final

Claims = Mapping[str, Any]
Verify = Callable[[str], Claims]
"""From a token to its claims. ``ValueError``: a bad token; ``OSError``: who knows, not now."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

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


class StepUp:
    """Lets a request in only with a good token, and a sign-in strong and recent enough.

    ``acr_values`` in the order of preference, any of them will do; ``max_age`` in seconds, and
    not so few that they pass on the way back from the issuer.
    """

    def __init__(
        self,
        app: Application,
        verify: Verify,
        *,
        acr_values: Sequence[str] = (),
        max_age: int | None = None,
        clock: Callable[[], float] = time.time,  # noqa: TID251  a program of its own
    ) -> None:
        self._app, self._verify, self._clock = app, verify, clock
        self._acr_values, self._max_age = acr_values, max_age

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)  # lifespan is nobody's request
        token = _bearer_token(scope)
        if token is None:
            return await _refuse(scope, send, 401, challenge())  # RFC 6750 section 3.1: no code
        try:
            # It may have to ask the issuer, and everybody else must not wait for that.
            claims = await asyncio.to_thread(self._verify, token)
        except ValueError as error:
            return await _refuse(scope, send, 401, challenge("invalid_token", str(error)))
        except OSError:
            return await _refuse(scope, send, 503)
        if refusal := self._insufficient(claims):
            return await _refuse(scope, send, 401, refusal)
        return await self._app({**scope, "claims": claims}, receive, send)

    def _insufficient(self, claims: Claims) -> str | None:
        asked, age = self._acr_values, self._max_age
        missing = shortfall(claims, acr_values=asked, max_age=age, now=self._clock())
        if missing is None:
            return None
        wanted: dict[str, str | int] = {"acr_values": " ".join(asked)} if asked else {}
        if age is not None:
            wanted["max_age"] = age
        return challenge("insufficient_user_authentication", missing, **wanted)


def _bearer_token(scope: Scope) -> str | None:
    sent = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    # Two such headers: whoever looked at the request before may have believed the other one.
    if len(sent) != 1:
        return None
    match = re.fullmatch(rb"(?i:bearer) +([A-Za-z0-9\-._~+/]+=*) *", sent[0])
    return match[1].decode() if match else None


async def _refuse(scope: Scope, send: Send, status: int, authenticate: str | None = None) -> None:
    if scope["type"] == "websocket":
        # Before it was accepted: servers answer the handshake with 403.
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"cache-control", b"no-store"), (b"content-length", b"0")]
    if authenticate:
        headers.append((b"www-authenticate", authenticate.encode("ascii")))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
