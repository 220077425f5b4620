"""What a DPoP proof has to say (RFC 9449 section 4.3), once its signature is known to hold."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from idp.frozen import made_often
from idp.protocol.json_values import Json
from idp.protocol.urls import origin, split

TYPE: Final = "dpop+jwt"

MAX_JTI: Final = 256
"""Characters; section 11.1 leaves it to us to keep them from growing our store."""

# RFC 9449 section 10: base64url of 32 bytes without padding.
_JKT: Final = re.compile(r"[A-Za-z0-9\-_]{43}")

Claims = Mapping[str, Json]


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The request that a proof came with, and how far its time may be from ours.

    ``bases`` are the addresses this provider has, without a path; never what a header says.
    ``now`` and ``window`` are in seconds. ``ath`` is the hash of the access token that came
    along, at a resource; None at the token endpoint.
    """

    method: str
    bases: tuple[str, ...]
    path: str
    now: int
    window: int
    ath: str | None = None


def problem(claims: Claims, expected: Expected) -> str | None:
    """What is wrong with the claims of a proof, as a sentence; None when nothing is.

    Claims that nobody here knows are no problem (section 4.2).
    """
    return next((found for check in _CHECKS if (found := check(claims, expected))), None)


def _jti(claims: Claims, _expected: Expected) -> str | None:
    jti = claims.get("jti")
    if isinstance(jti, str) and 0 < len(jti) <= MAX_JTI:
        return None
    return f"jti must be text of 1 to {MAX_JTI} characters."


def _htm(claims: Claims, expected: Expected) -> str | None:
    # RFC 9110 section 9.1: methods are case-sensitive.
    return None if claims.get("htm") == expected.method else f"htm must be {expected.method}."


def _htu(claims: Claims, expected: Expected) -> str | None:
    htu = claims.get("htu")
    if isinstance(htu, str) and is_target(htu, expected.bases, expected.path):
        return None
    return f"htu must be {' or '.join(base + quote(expected.path) for base in expected.bases)}."


def _iat(claims: Claims, expected: Expected) -> str | None:
    iat = claims.get("iat")
    if isinstance(iat, bool) or not isinstance(iat, int | float):
        return "iat must be a number."
    if abs(iat - expected.now) > expected.window:
        return f"iat must be within {expected.window} seconds of {expected.now}."
    return None


def _ath(claims: Claims, expected: Expected) -> str | None:
    if expected.ath is None or claims.get("ath") == expected.ath:
        return None
    return "ath is not the hash of this access token."


_CHECKS: Final[tuple[Callable[[Claims, Expected], str | None], ...]] = (
    *(_jti, _htm, _htu, _iat, _ath),
)


def is_target(htu: str, bases: tuple[str, ...], path: str) -> bool:
    """Does ``htu`` name ``path`` below one of ``bases``?

    Section 4.3, check 9: query and fragment do not count; after RFC 3986 section 6.2, neither do
    the case of scheme and host, a default port, or an encoding that was not needed.
    """
    parts = split(htu)
    if parts is None or parts.scheme not in ("https", "http"):
        return False
    return origin(htu) in bases and unquote(parts.path) == path


def is_jkt(text: str) -> bool:
    """Could ``text`` be the thumbprint of a key (RFC 7638 with SHA-256)?"""
    return _JKT.fullmatch(text) is not None
