"""The protocol's endpoints, put together."""

from dataclasses import dataclass

from authlib.oauth2.rfc6749 import TokenEndpoint

from idp.config import Settings
from idp.oidc.access_tokens import AccessTokens
from idp.oidc.capabilities import ENDPOINTS, capabilities_of, endpoints_of
from idp.oidc.client_auth import ClientAuthentication
from idp.oidc.device import DeviceAuthorization
from idp.oidc.documents import Document, LiveDocument
from idp.oidc.grants import Desk
from idp.oidc.introspection import Introspection, Revocation
from idp.oidc.issuance import Issuance
from idp.oidc.possession import Binder, Holders
from idp.oidc.protected import ProtectedResource
from idp.oidc.pushing import Pushing
from idp.oidc.rations import Rations
from idp.oidc.requests import Requests
from idp.oidc.resource import resource_metadata
from idp.oidc.server import Server
from idp.oidc.userinfo import UserInfo
from idp.protocol.discovery import mtls_aliases, provider_metadata
from idp.services.client_keys import ClientKeys
from idp.services.client_tokens import ClientTokens
from idp.services.clients import Clients
from idp.services.device_codes import DeviceCodes
from idp.services.device_polling import DevicePolling
from idp.services.dpop import Proofs
from idp.services.exchange import Exchanging
from idp.services.grants import Grants
from idp.services.keys import SigningKeys
from idp.services.pushed import PushedRequests
from idp.services.refresh import Refreshing
from idp.services.sealing import Sealing
from idp.services.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Intake:
    """Where requests are kept that are left with us, and how many may be."""

    pushed: PushedRequests
    devices: DeviceCodes
    throttle: Throttle


@dataclass(frozen=True, slots=True)
class Provider:
    """What the protocol's views call."""

    server: Server
    userinfo: UserInfo
    access_tokens: AccessTokens
    protected: ProtectedResource
    keys: SigningKeys
    proofs: Proofs
    metadata: LiveDocument
    resource: LiveDocument

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
        intake: Intake,
    ) -> "Provider":
        """One of each; nothing is read from the database yet."""
        proofs = Proofs(settings)
        desk = _desk(
            settings,
            authenticate=_authentication(settings, clients, client_keys),
            grants=grants,
            issuance=issuance,
            sealing=sealing,
            access_tokens=AccessTokens(settings, keys),
            proofs=proofs,
        )
        holders = Holders(settings, desk.access_tokens, proofs)
        endpoints = [
            *_about_tokens(settings, desk),
            *_leaving_requests(settings, desk, requests, intake),
        ]
        return cls(
            server=Server(settings.issuer, desk, endpoints),
            userinfo=UserInfo(settings, holders, clients, sealing),
            access_tokens=desk.access_tokens,
            protected=ProtectedResource(settings, holders),
            keys=keys,
            proofs=proofs,
            metadata=LiveDocument(settings, _metadata, "registration", "privacy_url", "terms_url"),
            resource=LiveDocument(settings, resource_metadata, "site_name"),
        )


def _leaving_requests(
    settings: Settings, desk: Desk, requests: Requests, intake: Intake
) -> list[TokenEndpoint]:
    known, rations = capabilities_of(settings), Rations(intake.throttle)
    return [
        Pushing(desk.authenticate, requests, intake.pushed, desk.bind, rations),
        DeviceAuthorization(settings, desk.authenticate, known, intake.devices, rations),
    ]


def _authentication(settings: Settings, clients: Clients, keys: ClientKeys) -> ClientAuthentication:
    return ClientAuthentication(settings, clients=clients, keys=keys, token_path=ENDPOINTS.token)


def _desk(
    settings: Settings,
    *,
    authenticate: ClientAuthentication,
    grants: Grants,
    issuance: Issuance,
    sealing: Sealing,
    access_tokens: AccessTokens,
    proofs: Proofs,
) -> Desk:
    return Desk(
        authenticate=authenticate,
        codes=grants,
        refreshing=Refreshing(settings),
        issuance=issuance,
        bind=Binder(proofs),
        polling=DevicePolling(grants),
        client_tokens=ClientTokens(settings),
        exchanging=Exchanging(settings),
        access_tokens=access_tokens,
        sealing=sealing,
    )


def _about_tokens(settings: Settings, desk: Desk) -> list[TokenEndpoint]:
    return [
        endpoint(desk.authenticate, desk.access_tokens, settings.issuer)
        for endpoint in (Introspection, Revocation)
    ]


def _metadata(settings: Settings) -> Document:
    document = provider_metadata(
        issuer=settings.issuer,
        endpoints=endpoints_of(settings),
        capabilities=capabilities_of(settings),
        extra={
            **mtls_aliases(settings.mtls_origin, endpoints_of(settings)),
            **_papers(settings),
        },
    )
    return Document.of(document)


def _papers(settings: Settings) -> dict[str, object]:
    """What whoever registers an application should read (OIDC Discovery 3)."""
    told = {"op_policy_uri": settings.privacy_url, "op_tos_uri": settings.terms_url}
    return {name: address for name, address in told.items() if address is not None}
