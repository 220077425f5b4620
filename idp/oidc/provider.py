"""The protocol's endpoints, put together."""

from dataclasses import dataclass

from idp.config import Settings
from idp.oidc.access_tokens import AccessTokens
from idp.oidc.capabilities import capabilities_of, endpoints_of
from idp.oidc.client_auth import ClientAuthentication
from idp.oidc.documents import Document
from idp.oidc.grants import Desk
from idp.oidc.introspection import Introspection, Revocation
from idp.oidc.issuance import Issuance
from idp.oidc.protected import ProtectedResource
from idp.oidc.pushing import Pushing
from idp.oidc.requests import Requests
from idp.oidc.resource import resource_metadata
from idp.oidc.server import Server
from idp.oidc.userinfo import UserInfo
from idp.protocol.discovery import provider_metadata
from idp.services.clients import Clients
from idp.services.grants import Grants
from idp.services.keys import SigningKeys
from idp.services.pushed import PushedRequests
from idp.services.refresh import Refreshing


@dataclass(frozen=True, slots=True)
class Provider:
    """What the protocol's views call."""

    server: Server
    userinfo: UserInfo
    access_tokens: AccessTokens
    protected: ProtectedResource
    keys: SigningKeys
    metadata: Document
    resource: Document

    @classmethod
    def build(
        cls,
        settings: Settings,
        *,
        clients: Clients,
        grants: Grants,
        keys: SigningKeys,
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
        )
        endpoints = [
            Introspection(authenticate, access_tokens, settings.issuer),
            Revocation(authenticate, access_tokens, settings.issuer),
            Pushing(authenticate, requests, pushed),
        ]
        return cls(
            server=Server(settings.issuer, desk, endpoints),
            userinfo=UserInfo(settings, access_tokens),
            access_tokens=access_tokens,
            protected=ProtectedResource(settings, access_tokens),
            keys=keys,
            metadata=_metadata(settings),
            resource=resource_metadata(settings),
        )


def _metadata(settings: Settings) -> Document:
    document = provider_metadata(
        issuer=settings.issuer,
        endpoints=endpoints_of(settings),
        capabilities=capabilities_of(settings),
        extra=_papers(settings),
    )
    return Document.of(document)


def _papers(settings: Settings) -> dict[str, object]:
    """What whoever registers an application should read (OIDC Discovery 3)."""
    told = {"op_policy_uri": settings.privacy_url, "op_tos_uri": settings.terms_url}
    return {name: address for name, address in told.items() if address is not None}
