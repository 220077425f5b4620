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
from idp.oidc.possession import Binder, Holders
from idp.oidc.protected import ProtectedResource
from idp.oidc.pushing import Pushing
from idp.oidc.requests import Requests
from idp.oidc.server import Server
from idp.oidc.userinfo import UserInfo
from idp.protocol.discovery import mtls_aliases, provider_metadata
from idp.services.client_keys import ClientKeys
from idp.services.clients import Clients
from idp.services.dpop import Proofs
from idp.services.grants import Grants
from idp.services.keys import SigningKeys
from idp.services.pushed import PushedRequests
from idp.services.refresh import Refreshing
from idp.services.sealing import Sealing


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
    proofs: Proofs
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
        sealing: Sealing,
        issuance: Issuance,
        requests: Requests,
        pushed: PushedRequests,
    ) -> "Provider":
        """One of each; nothing is read from the database yet."""
        authenticate = _authentication(settings, clients, client_keys)
        access_tokens = AccessTokens(settings, keys)
        proofs = Proofs(settings)
        holders = Holders(settings, access_tokens, proofs)
        desk = Desk(
            authenticate=authenticate,
            codes=grants,
            refreshing=Refreshing(settings),
            issuance=issuance,
            bind=Binder(proofs),
            sealing=sealing,
        )
        endpoints = [
            Introspection(authenticate, access_tokens, settings.issuer),
            Revocation(authenticate, access_tokens, settings.issuer),
            Pushing(authenticate, requests, pushed, desk.bind),
        ]
        return cls(
            server=Server(settings.issuer, desk, endpoints),
            userinfo=UserInfo(settings, holders, clients, sealing),
            access_tokens=access_tokens,
            protected=ProtectedResource(settings, holders),
            keys=keys,
            proofs=proofs,
            metadata=_metadata(settings),
        )


def _authentication(settings: Settings, clients: Clients, keys: ClientKeys) -> ClientAuthentication:
    return ClientAuthentication(settings, clients=clients, keys=keys, token_path=ENDPOINTS.token)


def _metadata(settings: Settings) -> Document:
    document = provider_metadata(
        issuer=settings.issuer,
        endpoints=ENDPOINTS,
        capabilities=capabilities_of(settings),
        extra=mtls_aliases(settings.mtls_origin, ENDPOINTS),
    )
    body = json.dumps(document, separators=(",", ":")).encode()
    return Document(body, hashlib.sha256(body).hexdigest()[:32])
