"""ID tokens that come back as hints (OIDC Core 3.1.2.1, RP-Initiated Logout 2)."""

from collections.abc import Mapping

from idp.clock import Clock
from idp.config import Settings
from idp.protocol.errors import OAuthError
from idp.protocol.json_values import Json
from idp.services.jose import InvalidToken
from idp.services.keys import SigningKeys


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
        claims = self._claims(hint)
        subject = claims.get("sub")
        ours = claims.get("iss") == self._issuer and claims.get("aud") == client_id
        if not ours or not isinstance(subject, str):
            raise _not_ours()
        return subject

    def _claims(self, hint: str) -> Mapping[str, Json]:
        try:
            return self._keys.verify(hint, typ="JWT", now=self._clock())
        except InvalidToken:
            raise _not_ours() from None


def _not_ours() -> OAuthError:
    return OAuthError("invalid_request", "id_token_hint is not an ID token issued to this client.")
