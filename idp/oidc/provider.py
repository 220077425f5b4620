"""The protocol's endpoints, put together."""

import hashlib
import json
from dataclasses import dataclass

from idp.config import Settings
from idp.oidc.access_tokens import AccessTokens
from idp.oidc.capabilities import ENDPOINTS, capabilities_of
from idp.oidc.client_auth import ClientAuthentication
from idp.oidc.grants import Desk
from idp.oidc.introspection import Introspection, Revocation
from idp.oidc.issuance import Issuance
from idp.oidc.protected import ProtectedResource
from idp.oidc.server import Server
from idp.oidc.userinfo import UserInfo
from idp.protocol.discovery import mtls_aliases, provider_metadata
from idp.services.client_keys import ClientKeys
from idp.services.clients import Clients
from idp.services.grants import Grants
from idp.services.keys import SigningKeys
from idp.services.refresh import Refreshing


@dataclass(frozen=True, slots=True)
class Document:
    """A public JSON document and its entity tag."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Provider:
    """What the protocol's views call."""

    server: Server
    userinfo: UserInfo
    access_tokens: AccessTokens
    protected: ProtectedResource
    keys: SigningKeys
    metadata: Document

    @classmethod
    def build(
        cls,
        settings: Settings,
        *,
        clients: Clients,
        client_keys: ClientKeys,
        grants: Grants,
        keys: SigningKeys,
    ) -> "Provider":
        """One of each; nothing is read from the database yet."""
        authenticate = ClientAuthentication(
            settings, clients=clients, keys=client_keys, token_path=ENDPOINTS.token
        )
        access_tokens = AccessTokens(settings, keys)
        desk = Desk(
            authenticate=authenticate,
            codes=grants,
            refreshing=Refreshing(settings),
            issuance=Issuance(settings, keys),
        )
        endpoints = [
            endpoint(authenticate, access_tokens, settings.issuer)
            for endpoint in (Introspection, Revocation)
        ]
        return cls(
            server=Server(settings.issuer, desk, endpoints),
            userinfo=UserInfo(settings, access_tokens),
            access_tokens=access_tokens,
            protected=ProtectedResource(settings, access_tokens),
            keys=keys,
            metadata=_metadata(settings),
        )


def _metadata(settings: Settings) -> Document:
    document = provider_metadata(
        issuer=settings.issuer,
        endpoints=ENDPOINTS,
        capabilities=capabilities_of(settings),
        extra=mtls_aliases(settings.mtls_origin, ENDPOINTS),
    )
    body = json.dumps(document, separators=(",", ":")).encode()
    return Document(body, hashlib.sha256(body).hexdigest()[:32])
