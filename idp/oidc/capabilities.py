"""What this provider can do, from the very tuples that its endpoints are made of."""

from dataclasses import replace
from typing import Final

from idp.assurance import supported_acr_values
from idp.config import Settings
from idp.oidc import request_objects
from idp.oidc.client_auth import SIGNING_ALGORITHMS, methods_of
from idp.oidc.grant_types import GRANTS
from idp.oidc.registration import REGISTRATION
from idp.protocol.capabilities import Capabilities
from idp.protocol.discovery import Endpoints
from idp.protocol.operations import CONFIRM_OPERATION
from idp.protocol.scopes import ACCOUNT, SCOPE_NAMES
from idp.protocol.vocabulary import RESPONSE_TYPES, SUBJECT_TYPES, Prompt
from idp.services import jwe
from idp.services.dpop import ALGORITHMS as DPOP_ALGORITHMS
from idp.services.jose import ALGORITHMS

ENDPOINTS: Final = Endpoints(
    authorization="/oauth/authorize",
    token="/oauth/token",  # noqa: S106  a path, no password
    userinfo="/oauth/userinfo",
    jwks="/oauth/jwks",
    introspection="/oauth/introspect",
    revocation="/oauth/revoke",
    device_authorization="/oauth/device",
    end_session="/oauth/logout",
    check_session_iframe="/oauth/check-session",
    pushed_authorization_request="/oauth/par",
)

FLOWS: Final = tuple(name for name in RESPONSE_TYPES if name not in ("token", "none"))
"""Each client has of these what it registered. ``token`` alone is no sign-in, and RFC 9700
section 2.1.2 advises against it."""


def endpoints_of(settings: Settings) -> Endpoints:
    """Those that a deployment has."""
    is_on = settings.client_registration != "off"
    return replace(ENDPOINTS, registration=REGISTRATION) if is_on else ENDPOINTS


def capabilities_of(settings: Settings) -> Capabilities:
    """What parsing, registering and discovery go by."""
    return Capabilities(
        response_types=FLOWS,
        grant_types=(*(grant.GRANT_TYPE for grant in GRANTS), "implicit"),
        token_endpoint_auth_methods=methods_of(settings),
        token_endpoint_auth_signing_algs=SIGNING_ALGORITHMS,
        id_token_signing_algs=ALGORITHMS,
        id_token_encryption_algs=jwe.ALGORITHMS,
        id_token_encryption_encs=jwe.CIPHERS,
        userinfo_signing_algs=ALGORITHMS,
        userinfo_encryption_algs=jwe.ALGORITHMS,
        userinfo_encryption_encs=jwe.CIPHERS,
        authorization_signing_algs=ALGORITHMS,
        authorization_encryption_algs=jwe.ALGORITHMS,
        authorization_encryption_encs=jwe.CIPHERS,
        subject_types=SUBJECT_TYPES,
        request_object_signing_algs=request_objects.ALGORITHMS,
        request_parameter=True,
        request_uri_parameter=True,
        require_request_uri_registration=True,
        scopes=(*SCOPE_NAMES, ACCOUNT.name),
        acr_values=supported_acr_values(settings.acr_aliases),
        prompts=prompts_of(settings),
        dpop_signing_algs=DPOP_ALGORITHMS,
        certificate_bound_access_tokens=settings.client_certificate_header is not None,
        authorization_details_types=(CONFIRM_OPERATION,),
        frontchannel_logout=True,
        backchannel_logout=True,
    )


def prompts_of(settings: Settings) -> tuple[Prompt, ...]:
    """Those that are understood: one to make an account only where people may."""
    return tuple(one for one in Prompt if one is not Prompt.CREATE or settings.registration)


def as_set_now(capabilities: Capabilities, settings: Settings) -> Capabilities:
    """The same, where settings may have changed since the start."""
    prompts = prompts_of(settings)
    return (
        capabilities if prompts == capabilities.prompts else replace(capabilities, prompts=prompts)
    )
