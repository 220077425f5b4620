"""Our own API as a protected resource: what a token must carry, and the challenge if it does not.

The same that we ask of relying parties' APIs: RFC 6750 for the token, RFC 9470 for the sign-in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.assurance import Rung, canonical_name
from idp.config import Settings
from idp.oidc.direct import Direct
from idp.oidc.possession import Holders
from idp.protocol.errors import OAuthError
from idp.services.access import LiveToken


@dataclass(frozen=True, slots=True)
class Needed:
    """What one operation needs of the sign-in behind a token; ``max_age`` in seconds."""

    floor: Rung = Rung.ONE_FACTOR
    max_age: int | None = None


class InsufficientAuthentication(OAuthError):
    """RFC 9470 section 3: the token is good, the sign-in behind it is not enough for this."""

    def __init__(self, needed: Needed) -> None:
        super().__init__(
            "insufficient_user_authentication",
            "A stronger or more recent sign-in is needed.",
            redirectable=False,
            status=401,
        )
        self.needed = needed

    def parameters(self) -> dict[str, str]:
        """With what would do, for the client to ask for."""
        told = {**super().parameters(), "acr_values": canonical_name(self.needed.floor)}
        if self.needed.max_age is not None:
            told["max_age"] = str(self.needed.max_age)
        return told


class ProtectedResource:
    """Judges the tokens that come to our own API."""

    def __init__(self, settings: Settings, holders: Holders) -> None:
        self.realm = settings.issuer
        self._holders = holders

    def token(self, direct: Direct, *, scope: str) -> LiveToken:
        """The token that a request brought, alive, a person's, for this API alone and this scope.

        Raises ``NoToken``, or ``OAuthError`` as ``Holders`` does.
        """
        return self._judged(direct, scope=scope, persons=True)

    def anybodys_token(self, direct: Direct, *, scope: str) -> LiveToken:
        """The same, or a client's own token, by which nobody but the client is there."""
        return self._judged(direct, scope=scope, persons=False)

    def _judged(self, direct: Direct, *, scope: str, persons: bool) -> LiveToken:
        live = self._holders.token(direct)
        if live is None:
            raise NoToken
        # Whoever else a token is for gets to see it, and could use it here in the person's name.
        if set(live.audience) != {self.realm}:
            raise OAuthError(
                "invalid_token", "The access token is not for this API alone.", status=401
            )
        if persons and live.granted.user_id is None:
            raise OAuthError("invalid_token", "The access token is nobody's.", status=401)
        if scope not in live.scope:
            raise OAuthError("insufficient_scope", f"The scope {scope} is needed.", status=403)
        return live

    def insist(self, live: LiveToken, needed: Needed, now: datetime) -> None:
        """Raise ``InsufficientAuthentication`` when the sign-in was too weak, or is too old."""
        satisfied = live.granted.proved
        if satisfied.rung < needed.floor:
            raise InsufficientAuthentication(needed)
        age = None if needed.max_age is None else timedelta(seconds=needed.max_age)
        if age is not None and satisfied.auth_time < now - age:
            raise InsufficientAuthentication(needed)


class NoToken(Exception):
    """Nothing was presented."""
