"""JWTs that clients sign: assertions, request objects. Read without trust, verified without guess.

What a token says of itself chooses nothing here: the algorithms are the caller's, the keys are
the registration's, and a header that points at keys, or changes what the bytes mean, is refused
before anything is fetched.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from idp.frozen import made_often
from idp.protocol.json_values import Json, parse_json
from idp.services.client_keys import ClientKeys
from idp.services.clients import RegisteredClient

MAX_JWT: Final = 16384
"""Characters."""

SKEW: Final = timedelta(seconds=30)
"""How far another clock may be from ours."""

_FAR: Final = 10**15
"""Seconds: no time that anybody means is that far away."""

FORBIDDEN: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "zip", "b64", "enc"})
"""RFC 8725 sections 3.9 and 3.10: keys come from the registration; RFC 7515 section 4.1.11."""

# RFC 7515 section 7.1: three parts, and no padding or line end anywhere.
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")

Claims = Mapping[str, Json]


class InvalidClientJwt(Exception):
    """It is not a JWT that the client signed for this. The text repeats nothing of it."""


class NotSigned(InvalidClientJwt):
    """No key that is known of the client signed it."""

    def __init__(self) -> None:
        super().__init__("not signed by a key of the client")


@made_often
@dataclass(frozen=True, slots=True)
class Unverified:
    """A JWT that was taken apart and not yet believed: all of it is its own words."""

    header: Claims
    claims: Claims
    signed: bytes
    signature: bytes

    @property
    def algorithm(self) -> str:
        """The ``alg`` of its header."""
        return str(self.header["alg"])

    @property
    def kid(self) -> str | None:
        """The ``kid`` of its header."""
        kid = self.header.get("kid")
        return None if kid is None else str(kid)

    @property
    def typ(self) -> str | None:
        """The ``typ`` of its header, in lower case and without ``application/``."""
        typ = self.header.get("typ")
        return None if typ is None else str(typ).lower().removeprefix("application/")


def read(
    token: str, *, at_most: int = MAX_JWT, forbidden: frozenset[str] = FORBIDDEN
) -> Unverified:
    """Take a compact JWS apart without trusting it.

    Raises ``InvalidClientJwt``: longer than ``at_most`` characters, not compact, not JSON in both
    parts, or with a ``forbidden`` header: one that names keys or anything that must be understood.
    """
    parts = _COMPACT.fullmatch(token) if len(token) <= at_most else None
    if parts is None:
        raise InvalidClientJwt("not a compact JWS")
    header, claims = _object(parts[1]), _object(parts[2])
    if not forbidden.isdisjoint(header):
        raise InvalidClientJwt("its header has members that are not accepted")
    for name in ("alg", "kid", "typ"):
        if not isinstance(header.get(name, ""), str):
            raise InvalidClientJwt("its header is malformed")
    if "alg" not in header:
        raise InvalidClientJwt("its header is malformed")
    return Unverified(header, claims, f"{parts[1]}.{parts[2]}".encode(), _decode(parts[3]))


class ClientJwts:
    """Tells what a client signed from what it did not."""

    def __init__(self, keys: ClientKeys) -> None:
        self._keys = keys

    def verify(
        self,
        unverified: Unverified,
        client: RegisteredClient,
        *,
        algorithms: Collection[str],
        now: datetime,
    ) -> Claims:
        """The claims, if ``client`` signed them by one of ``algorithms``; times are not checked.

        With ``none`` among ``algorithms``, an empty signature is one. May fetch the client's keys:
        the caller's transaction, which must have read only, is ended before that. Raises
        ``InvalidClientJwt``.
        """
        algorithm = unverified.algorithm
        if algorithm not in algorithms:
            raise InvalidClientJwt("signed by an algorithm that is not allowed here")
        if algorithm == "none":
            return _unsigned(unverified)
        keys = self._keys.to_verify(client, kid=unverified.kid, algorithm=algorithm, now=now)
        if not any(is_signed(unverified, key, algorithm) for key in keys):
            raise NotSigned
        return unverified.claims


def _unsigned(unverified: Unverified) -> Claims:
    if unverified.signature:  # RFC 7518 section 3.6
        raise InvalidClientJwt("alg is none, and there is a signature")
    return unverified.claims


def is_signed(unverified: Unverified, key: Key, algorithm: str) -> bool:
    """Did ``key`` sign it by ``algorithm``, of whose kind it is?"""
    try:
        return JWSRegistry.algorithms[algorithm].verify(
            unverified.signed, unverified.signature, key
        )
    except (JoseError, ValueError, TypeError):
        return False


def check_times(
    claims: Claims,
    now: datetime,
    *,
    required: Collection[str] = ("exp",),
    longest: timedelta | None = None,
    oldest: timedelta | None = None,
) -> None:
    """Is it good now (RFC 7519 section 4.1), give or take ``SKEW``?

    ``longest`` bounds how far ahead ``exp`` may be, ``oldest`` how long ago ``nbf``. Raises
    ``InvalidClientJwt``.
    """
    at, skew = now.timestamp(), SKEW.total_seconds()
    times = {name: _time(claims, name) for name in ("exp", "nbf", "iat")}
    if any(times[name] is None for name in required):
        raise InvalidClientJwt(f"without {' or '.join(required)}")
    expiry, starts, made = times["exp"], times["nbf"], times["iat"]
    if expiry is not None and at >= expiry + skew:
        raise InvalidClientJwt("expired")
    if expiry is not None and longest and expiry > at + longest.total_seconds() + skew:
        raise InvalidClientJwt("good for too long")
    if any(one is not None and one > at + skew for one in (starts, made)):
        raise InvalidClientJwt("not good yet")
    if starts is not None and oldest and starts < at - oldest.total_seconds() - skew:
        raise InvalidClientJwt("too old")


def lasts_longer(claims: Claims, lifetime: timedelta) -> bool:
    """Is ``exp`` more than ``lifetime`` after ``nbf``? False where one of them is not there."""
    expiry, starts = _time(claims, "exp"), _time(claims, "nbf")
    if expiry is None or starts is None:
        return False
    return expiry - starts > lifetime.total_seconds()


def audiences(claims: Claims) -> tuple[str, ...]:
    """Who it is for, one or many (RFC 7519 section 4.1.3); nobody when ``aud`` is malformed."""
    aud = claims.get("aud")
    if isinstance(aud, str):
        return (aud,)
    if isinstance(aud, tuple) and all(isinstance(one, str) for one in aud):
        return tuple(map(str, aud))
    return ()


def _time(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidClientJwt(f"{name} is not a time")
    # An int of JSON's may be too large to be added to a float, which is an error and no answer.
    return min(max(value, -_FAR), _FAR)


def _object(part: str) -> Claims:
    try:
        found = parse_json(_decode(part).decode())
    except ValueError:
        raise InvalidClientJwt("not JSON") from None
    if not isinstance(found, Mapping):
        raise InvalidClientJwt("not JSON")
    return found


def _decode(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise InvalidClientJwt("not base64url") from None
