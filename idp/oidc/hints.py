"""ID tokens that come back as hints (OIDC Core 3.1.2.1, RP-Initiated Logout 2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from idp.clock import Clock
from idp.config import Settings
from idp.protocol.errors import OAuthError
from idp.protocol.json_values import Json
from idp.services.jose import InvalidToken
from idp.services.keys import SigningKeys

_DOTS_OF_A_JWE: Final = 4
"""RFC 7516 section 3.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What an ID token of ours says: which client it is for, about whom, in which session."""

    client_id: str
    subject: str
    session_id: str | None


class IdTokenHints:
    """Reads hints. One that has expired is still one: it only ever says who is expected."""

    def __init__(self, settings: Settings, keys: SigningKeys, clock: Clock) -> None:
        self._issuer = settings.issuer
        self._keys = keys
        self._clock = clock

    def __call__(self, hint: str, *, client_id: str) -> str:
        """The ``sub`` of an ID token that we issued to this client.

        Raises ``OAuthError`` ``invalid_request`` for anything else.
        """
        found = self.read(hint)
        if found.client_id != client_id:
            raise _not_ours()
        return found.subject

    def read(self, hint: str) -> Hint:
        """An ID token that we issued, to whomever. Raises ``OAuthError`` for anything else."""
        claims = self._claims(hint)
        audience, subject, session_id = (claims.get(name) for name in ("aud", "sub", "sid"))
        # We also sign userinfo and whole responses for clients: none of those has all of these.
        is_ours = claims.get("iss") == self._issuer and isinstance(claims.get("auth_time"), int)
        if not is_ours or not isinstance(audience, str) or not isinstance(subject, str):
            raise _not_ours()
        return Hint(
            client_id=audience,
            subject=subject,
            session_id=session_id if isinstance(session_id, str) else None,
        )

    def _claims(self, hint: str) -> Mapping[str, Json]:
        if hint.count(".") == _DOTS_OF_A_JWE:  # OIDC Core 3.1.2.1: the client decrypts it first
            raise OAuthError(
                "invalid_request", "id_token_hint is encrypted: send the signed token within it."
            )
        try:
            return self._keys.verify(hint, typ="JWT", now=self._clock())
        except InvalidToken:
            raise _not_ours() from None


def _not_ours() -> OAuthError:
    return OAuthError("invalid_request", "id_token_hint is not an ID token issued to this client.")
