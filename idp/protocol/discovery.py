"""The provider's metadata document, from the tuples that registered what it describes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from idp.protocol.capabilities import Capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Paths below the issuer, each with its leading slash; ``None`` is one that is not there."""

    authorization: str
    token: str
    userinfo: str
    jwks: str
    introspection: str | None = None
    revocation: str | None = None
    pushed_authorization_request: str | None = None
    device_authorization: str | None = None
    registration: str | None = None
    end_session: str | None = None
    check_session_iframe: str | None = None


_ENDPOINT_NAMES: Final[Mapping[str, str]] = {
    "authorization": "authorization_endpoint",
    "token": "token_endpoint",
    "userinfo": "userinfo_endpoint",
    "jwks": "jwks_uri",
    "introspection": "introspection_endpoint",
    "revocation": "revocation_endpoint",
    "pushed_authorization_request": "pushed_authorization_request_endpoint",
    "device_authorization": "device_authorization_endpoint",
    "registration": "registration_endpoint",
    "end_session": "end_session_endpoint",
    "check_session_iframe": "check_session_iframe",
}

_LIST_NAMES: Final[Mapping[str, str]] = {
    "response_types": "response_types_supported",
    "response_modes": "response_modes_supported",
    "grant_types": "grant_types_supported",
    "scopes": "scopes_supported",
    "claims": "claims_supported",
    "acr_values": "acr_values_supported",
    "prompts": "prompt_values_supported",
    "displays": "display_values_supported",
    "ui_locales": "ui_locales_supported",
    "subject_types": "subject_types_supported",
    "code_challenge_methods": "code_challenge_methods_supported",
    "authorization_details_types": "authorization_details_types_supported",
    "token_endpoint_auth_methods": "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_algs": "token_endpoint_auth_signing_alg_values_supported",
    "id_token_signing_algs": "id_token_signing_alg_values_supported",
    "id_token_encryption_algs": "id_token_encryption_alg_values_supported",
    "id_token_encryption_encs": "id_token_encryption_enc_values_supported",
    "userinfo_signing_algs": "userinfo_signing_alg_values_supported",
    "userinfo_encryption_algs": "userinfo_encryption_alg_values_supported",
    "userinfo_encryption_encs": "userinfo_encryption_enc_values_supported",
    "request_object_signing_algs": "request_object_signing_alg_values_supported",
    "request_object_encryption_algs": "request_object_encryption_alg_values_supported",
    "request_object_encryption_encs": "request_object_encryption_enc_values_supported",
    "authorization_signing_algs": "authorization_signing_alg_values_supported",
    "authorization_encryption_algs": "authorization_encryption_alg_values_supported",
    "authorization_encryption_encs": "authorization_encryption_enc_values_supported",
    "introspection_signing_algs": "introspection_signing_alg_values_supported",
    "introspection_encryption_algs": "introspection_encryption_alg_values_supported",
    "introspection_encryption_encs": "introspection_encryption_enc_values_supported",
    "dpop_signing_algs": "dpop_signing_alg_values_supported",
}

_OTHER_NAMES: Final = (
    *("issuer", "service_documentation", "op_policy_uri", "op_tos_uri", "signed_metadata"),
    *("claim_types_supported", "claims_locales_supported", "claims_parameter_supported"),
    *("request_parameter_supported", "request_uri_parameter_supported"),
    *("require_request_uri_registration", "require_signed_request_object"),
    *("require_pushed_authorization_requests", "authorization_response_iss_parameter_supported"),
    *("revocation_endpoint_auth_methods_supported", "mtls_endpoint_aliases"),
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "tls_client_certificate_bound_access_tokens",
    *("frontchannel_logout_supported", "frontchannel_logout_session_supported"),
    *("backchannel_logout_supported", "backchannel_logout_session_supported"),
    "protected_resources",
)

REGISTERED_NAMES: Final = frozenset(
    (*_ENDPOINT_NAMES.values(), *_LIST_NAMES.values(), *_OTHER_NAMES)
)
"""Names from RFC 8414, OpenID Connect Discovery 1.0, and what was registered beside them."""


def provider_metadata(
    *,
    issuer: str,
    endpoints: Endpoints,
    capabilities: Capabilities,
    extra: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The document of ``/.well-known/openid-configuration`` and its OAuth twin, ready for JSON.

    ``issuer`` is repeated as it is. ``extra`` adds or replaces members, for what only the caller
    knows. An empty list is left out (OIDC Discovery 4.2: claims with zero elements are omitted).

    Raises ``ValueError`` when ``extra`` holds a name that is not registered.
    """
    added = dict(extra or {})
    if not REGISTERED_NAMES.issuperset(added):
        raise ValueError(f"not registered metadata: {sorted(set(added) - REGISTERED_NAMES)}")
    return {
        "issuer": issuer,
        **_endpoint_members(issuer, endpoints),
        **_list_members(capabilities),
        **_auth_members(endpoints, capabilities),
        **_flag_members(capabilities),
        **added,
    }


def mtls_aliases(origin: str | None, endpoints: Endpoints) -> dict[str, object]:
    """RFC 8705 section 5: the endpoints again that clients call themselves, under ``origin``.

    Nothing where there is no other origin: a client with a certificate uses the usual ones then.
    """
    if origin is None:
        return {}
    aliases = {
        _ENDPOINT_NAMES[name]: origin + path
        for name in _CALLED_DIRECTLY
        if (path := getattr(endpoints, name)) is not None
    }
    return {"mtls_endpoint_aliases": aliases}


_CALLED_DIRECTLY: Final = (
    *("token", "userinfo", "introspection", "revocation"),
    *("pushed_authorization_request", "device_authorization", "registration"),
)


def _endpoint_members(issuer: str, endpoints: Endpoints) -> dict[str, object]:
    base = issuer.removesuffix("/")
    return {
        _ENDPOINT_NAMES[one.name]: base + path
        for one in fields(endpoints)
        if (path := getattr(endpoints, one.name)) is not None
    }


def _list_members(capabilities: Capabilities) -> dict[str, object]:
    return {
        name: list(values)
        for field, name in _LIST_NAMES.items()
        if (values := getattr(capabilities, field))
    }


def _auth_members(endpoints: Endpoints, capabilities: Capabilities) -> dict[str, object]:
    """RFC 8414 section 2: omitted, these default to client_secret_basic alone, so say them."""
    methods = list(capabilities.token_endpoint_auth_methods)
    members: dict[str, object] = {}
    for name, path in (
        ("revocation_endpoint", endpoints.revocation),
        ("introspection_endpoint", endpoints.introspection),
    ):
        if path is not None:
            # RFC 7662 section 2.1: introspection answers nobody who did not authenticate.
            public = name == "revocation_endpoint"
            allowed = [one for one in methods if public or one != "none"]
            members[f"{name}_auth_methods_supported"] = allowed
            members |= _auth_algs(name, capabilities)
    return members


def _auth_algs(endpoint: str, capabilities: Capabilities) -> dict[str, object]:
    algs = list(capabilities.token_endpoint_auth_signing_algs)
    return {f"{endpoint}_auth_signing_alg_values_supported": algs} if algs else {}


def _flag_members(capabilities: Capabilities) -> dict[str, object]:
    return {
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "authorization_response_iss_parameter_supported": True,  # RFC 9207 section 3
        "request_parameter_supported": capabilities.request_parameter,
        # OIDC Discovery 3: omitted means true, so the "no" has to be said.
        "request_uri_parameter_supported": capabilities.request_uri_parameter,
        **_flag("require_request_uri_registration", capabilities.require_request_uri_registration),
        **_flag(
            "tls_client_certificate_bound_access_tokens",
            capabilities.certificate_bound_access_tokens,
        ),
        **_flag("frontchannel_logout_supported", capabilities.frontchannel_logout),
        **_flag("frontchannel_logout_session_supported", capabilities.frontchannel_logout),
        **_flag("backchannel_logout_supported", capabilities.backchannel_logout),
        **_flag("backchannel_logout_session_supported", capabilities.backchannel_logout),
    }


def _flag(name: str, value: bool) -> dict[str, object]:
    return {name: True} if value else {}
