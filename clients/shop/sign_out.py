"""Being told by the provider that a session is over (OpenID Connect Back-Channel Logout 1.0).

Nobody's browser is there when it happens: the provider posts a signed token, and whoever can sign
like the provider can sign people out. So everything about it is checked, and each counts once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from config import Config
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from memory import Memory
from requests import RequestException

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LEEWAY: Final = 10
"""Seconds by which the provider's clock and this one may differ."""
OLDEST: Final = 300
"""Seconds that a token may be old, whatever it says itself."""


class Untrue(Exception):
    """It is not a logout token of our provider for us; the text says why."""


@dataclass(frozen=True, slots=True)
class Over:
    """Which session is over: ``sid``, or all of ``sub``'s; ``at`` is in seconds since 1970."""

    sid: str | None
    sub: str | None
    at: float


class SignOut:
    """Reads logout tokens. ``keys`` gives the provider's, ``afresh`` where one is not known yet."""

    def __init__(
        self,
        config: Config,
        memory: Memory,
        clock: Callable[[], float],
        keys: Callable[..., dict[str, Any]],
    ) -> None:
        self._config = config
        self._memory = memory
        self._clock = clock
        self._keys = keys

    def read(self, form: Mapping[str, str]) -> Over:
        """What the form's ``logout_token`` says. Raises ``Untrue``."""
        claims = self._verified(form.get("logout_token", ""))
        self._check(claims)
        if self._memory.get(f"jti {claims['jti']}"):
            raise Untrue("it was here before")
        self._memory.set(f"jti {claims['jti']}", value=True)
        return Over(claims.get("sid"), claims.get("sub"), float(claims["iat"]))

    def _verified(self, token: str) -> dict[str, Any]:
        """Section 2.6: signed like our ID tokens, and made to be a logout token."""
        for afresh in (False, True):
            try:
                keys = KeySet.import_key_set(self._keys(afresh=afresh))
                read = jwt.decode(token, keys, algorithms=[self._config.algorithm])
            except (JoseError, RequestException, ValueError, TypeError):
                continue
            if str(read.header.get("typ")).lower() != "logout+jwt":
                raise Untrue("it is another kind of token")
            return dict(read.claims)
        raise Untrue("it is not signed by the provider")

    def _check(self, claims: Mapping[str, Any]) -> None:
        now, audience = self._clock(), claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        events = claims.get("events")
        sayings = {
            "another issuer": claims.get("iss") == self._config.issuer,
            "for another": self._config.client_id in audiences,
            "too old": _number(claims, "iat") > now - OLDEST,
            "not made yet": _number(claims, "iat") <= now + LEEWAY,
            "expired": _number(claims, "exp") > now - LEEWAY,
            "no jti": isinstance(claims.get("jti"), str),
            "about nobody": isinstance(claims.get("sid") or claims.get("sub"), str),
            "not about a logout": isinstance(events, dict) and isinstance(events.get(EVENT), dict),
            # Section 2.4: so that no ID token can be passed off as one.
            "with a nonce": "nonce" not in claims,
        }
        for wrong, is_well in sayings.items():
            if not is_well:
                raise Untrue(f"it is {wrong}")


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) else float("nan")
