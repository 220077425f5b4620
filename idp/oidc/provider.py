"""The protocol's endpoints, put together."""

import hashlib
import json
from dataclasses import dataclass

from authlib.oauth2.rfc6749 import TokenEndpoint

from idp.config import Settings
from idp.oidc.access_tokens import AccessTokens
from idp.oidc.capabilities import ENDPOINTS, capabilities_of
from idp.oidc.client_auth import ClientAuthentication
from idp.oidc.device import DeviceAuthorization
from idp.oidc.grants import Desk
from idp.oidc.introspection import Introspection, Revocation
from idp.oidc.issuance import Issuance
from idp.oidc.protected import ProtectedResource
from idp.oidc.pushing import Pushing
from idp.oidc.requests import Requests
from idp.oidc.server import Server
from idp.oidc.userinfo import UserInfo
from idp.protocol.discovery import provider_metadata
from idp.services.client_tokens import ClientTokens
from idp.services.clients import Clients
from idp.services.device_codes import DeviceCodes
from idp.services.device_polling import DevicePolling
from idp.services.exchange import Exchanging
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
    metadata: Document

    @classmethod
    def build(
        cls,
        settings: Settings,
        *,
        clients: Clients,
        grants: Grants,
        keys: SigningKeys,
        devices: DeviceCodes,
        sealing: Sealing,
        issuance: Issuance,
        requests: Requests,
        pushed: PushedRequests,
    ) -> "Provider":
        """One of each; nothing is read from the database yet."""
        authenticate = ClientAuthentication(clients)
        access_tokens = AccessTokens(settings, keys)
        desk = Desk(
            authenticate=authenticate,
            codes=grants,
            refreshing=Refreshing(settings),
            issuance=issuance,
            sealing=sealing,
            polling=DevicePolling(grants),
            client_tokens=ClientTokens(settings),
            exchanging=Exchanging(settings),
            access_tokens=access_tokens,
        )
        endpoints: list[TokenEndpoint] = [
            Introspection(authenticate, access_tokens, settings.issuer),
            Revocation(authenticate, access_tokens, settings.issuer),
            Pushing(authenticate, requests, pushed),
            DeviceAuthorization(settings, authenticate, capabilities_of(settings), devices),
        ]
        return cls(
            server=Server(settings.issuer, desk, endpoints),
            userinfo=UserInfo(settings, access_tokens, clients, sealing),
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
    )
    body = json.dumps(document, separators=(",", ":")).encode()
    return Document(body, hashlib.sha256(body).hexdigest()[:32])
