"""Access tokens as they come back to us, JWT or opaque."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from idp.config import Settings
from idp.oidc.issuance import ACCESS_TOKEN_TYPE
from idp.protocol.json_values import Json
from idp.services.access import (
    NOTHING_ELSE,
    JwtClaims,
    LiveToken,
    Wanted,
    live_jwt,
    live_opaque,
)
from idp.services.binding import Binding
from idp.services.jose import InvalidToken, claims_of
from idp.services.keys import SigningKeys

_KEPT: Final = 1024
"""Tokens whose words are known, of two kilobytes each: one that is shown is shown again."""


class AccessTokens:
    """Reads them: signature and times by the text, the rest by the grant behind it."""

    def __init__(self, settings: Settings, keys: SigningKeys) -> None:
        self._issuer = settings.issuer
        self._keys = keys

    def live(self, token: str, now: datetime, wanted: Wanted = NOTHING_ELSE) -> LiveToken | None:
        """What the token stands for; None when it is not ours, over, revoked, or its person or
        client is disabled."""
        if "." not in token:
            return live_opaque(token, now, wanted)
        claims = self.jwt(token, now)
        return live_jwt(claims, wanted) if claims else None

    def jwt(self, token: str, now: datetime) -> JwtClaims | None:
        """What a JWT access token says, if we signed it and it has not expired by ``now``."""
        try:
            payload = self._keys.signed(token, typ=ACCESS_TOKEN_TYPE, now=now)
            claims = _read(payload, self._issuer)
        except InvalidToken:
            return None
        return claims if now < claims.expires_at else None


def _binding(cnf: Json) -> Binding:
    try:
        return Binding.of(cnf)
    except ValueError as error:
        raise InvalidToken("bound in a way that is not known here") from error


@lru_cache(_KEPT)
def _read(payload: str, issuer: str) -> JwtClaims:
    """The claims of a token whose signature is ours: a database or key that was shared with
    another issuer must not let its tokens in here."""
    claims = claims_of(payload)
    try:
        iss, jti, audience = (claims[name] for name in ("iss", "jti", "aud"))
        iat, exp = claims["iat"], claims["exp"]
    except KeyError:
        raise InvalidToken("not an access token") from None
    scope = claims.get("scope", "")
    if iss != issuer or not isinstance(jti, str) or not isinstance(scope, str):
        raise InvalidToken("not an access token of this issuer")
    if type(iat) is not int or type(exp) is not int:
        raise InvalidToken("without its times")
    return JwtClaims(
        jti=jti,
        scope=tuple(scope.split()),
        audience=_audience(audience),
        issued_at=datetime.fromtimestamp(iat, UTC),
        expires_at=datetime.fromtimestamp(exp, UTC),
        binding=_binding(claims.get("cnf")),
    )


def _audience(aud: Json) -> tuple[str, ...]:
    if isinstance(aud, str):
        return (aud,)
    if isinstance(aud, tuple):
        return tuple(map(str, aud))
    raise InvalidToken("for nobody")
