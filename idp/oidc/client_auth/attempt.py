"""One client's attempt to be let in, as each method's check sees it."""

from dataclasses import dataclass
from datetime import datetime

from idp.frozen import made_often
from idp.oidc.client_auth.presented import Presented
from idp.services.certificates import ClientCertificate
from idp.services.client_jwts import ClientJwts
from idp.services.client_keys import ClientKeys
from idp.services.clients import Clients, RegisteredClient


@dataclass(frozen=True, slots=True)
class Tools:
    """What checks work with. ``origins`` are where the endpoints answer, the issuer first."""

    clients: Clients
    keys: ClientKeys
    jwts: ClientJwts
    origins: tuple[str, ...]
    token_path: str

    @property
    def issuer(self) -> str:
        """Ours."""
        return self.origins[0]


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who, how, where (``path`` is ours), when, and over which certificate."""

    tools: Tools
    client: RegisteredClient
    presented: Presented
    path: str
    now: datetime
    certificate: ClientCertificate | None

    def by_no_key(self, reason: str) -> str:
        """``reason``, and what may be behind it: that its keys could not be fetched."""
        problem = self.tools.keys.problem(self.client)
        return reason if problem is None else f"{reason} (jwks_uri: {problem})"
