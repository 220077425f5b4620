"""What the members of a registration demand of each other, one small rule each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from idp.protocol import profile_rules
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.redirect_uris import check_redirect_uri
from idp.protocol.sectors import hosts_of
from idp.protocol.urls import origin
from idp.protocol.vocabulary import (
    ASYMMETRIC_ALGS,
    REDIRECT_GRANTS,
    SYMMETRIC_ALGS,
    SYMMETRIC_ENCRYPTION_ALGS,
    TOKEN_EXCHANGE,
    grants_needed,
)

Found = Iterator[tuple[str, str]]

SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
CONFIDENTIAL_GRANTS: Final = ("client_credentials", TOKEN_EXCHANGE)
KEY_METHODS: Final = ("private_key_jwt", "self_signed_tls_client_auth")
CERTIFICATE_NAMES: Final = (
    *("tls_client_auth_subject_dn", "tls_client_auth_san_dns", "tls_client_auth_san_uri"),
    *("tls_client_auth_san_ip", "tls_client_auth_san_email"),
)
ENCRYPTED: Final = (
    *("id_token_encrypted_response", "userinfo_encrypted_response", "request_object_encryption"),
    *("authorization_encrypted_response", "introspection_encrypted_response"),
)
SIGNED: Final = (
    *("id_token_signed_response_alg", "userinfo_signed_response_alg"),
    *("request_object_signing_alg", "authorization_signed_response_alg"),
    "introspection_signed_response_alg",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A check of a whole registration; ``reads`` are the members it must be able to trust."""

    reads: tuple[str, ...]
    check: Callable[[ClientMetadata], Found]


def redirect_uris_are_there(metadata: ClientMetadata) -> Found:
    """OIDC Registration 2: redirect_uris is required where there is a redirect."""
    redirects = [grant for grant in metadata.grant_types if grant in REDIRECT_GRANTS]
    if redirects and not metadata.redirect_uris:
        yield "redirect_uris", f"must list at least one address for grant type {redirects[0]}"


def redirect_uris_are_safe(metadata: ClientMetadata) -> Found:
    """Each address by ``check_redirect_uri``."""
    return _addresses("redirect_uris", metadata.redirect_uris, metadata.application_type)


def post_logout_redirect_uris_are_safe(metadata: ClientMetadata) -> Found:
    """RP-Initiated Logout 3.1: the same care as for the addresses of a sign-in."""
    return _addresses(
        "post_logout_redirect_uris", metadata.post_logout_redirect_uris, metadata.application_type
    )


def _addresses(name: str, uris: tuple[str, ...], application_type: str) -> Found:
    for number, uri in enumerate(uris, start=1):
        for sentence in check_redirect_uri(uri, application_type):
            yield name, f"item {number} {sentence}"


def grants_fit_response_types(metadata: ClientMetadata) -> Found:
    """OIDC Registration 2: each response type needs its grant types."""
    for response_type in metadata.response_types:
        for grant in grants_needed(response_type):
            if grant not in metadata.grant_types:
                yield "grant_types", f'must list "{grant}" for response type "{response_type}"'


def public_clients_are_modest(metadata: ClientMetadata) -> Found:
    """RFC 6749 section 4.4, RFC 9700 section 2.1.1: what needs a secret is not for all to have.

    RFC 8693 section 2.1 leaves open who may exchange; here it takes more than knowing a name.
    """
    if not metadata.is_public:
        return
    for grant in CONFIDENTIAL_GRANTS:
        if grant in metadata.grant_types:
            yield (
                "grant_types",
                f'must not list "{grant}" when token_endpoint_auth_method is "none"',
            )
    if not metadata.require_pkce:
        yield "require_pkce", "must be true, or left out, when token_endpoint_auth_method is none"
    if not metadata.refresh_token_rotation:  # RFC 9700 section 4.14.2
        yield (
            "refresh_token_rotation",
            "must be true, or left out, when token_endpoint_auth_method is none",
        )


def audiences_are_exchanged_for(metadata: ClientMetadata) -> Found:
    """A policy that nothing would ever read is a slip."""
    if metadata.token_exchange_audiences and TOKEN_EXCHANGE not in metadata.grant_types:
        yield (
            "token_exchange_audiences",
            f'must be left out, or grant_types must list "{TOKEN_EXCHANGE}"',
        )


def keys_come_one_way(metadata: ClientMetadata) -> Found:
    """RFC 7591 section 2: jwks and jwks_uri must not both be present."""
    if metadata.jwks is not None and metadata.jwks_uri is not None:
        yield "jwks", "must be left out when there is a jwks_uri"


def keys_are_there(metadata: ClientMetadata) -> Found:
    """Whoever signs to us, or has us encrypt, must show its public keys."""
    if metadata.jwks is None and metadata.jwks_uri is None:
        for reason in _needs_keys(metadata):
            yield "jwks_uri", f"or jwks must be there for {reason}"
            return


def _needs_keys(metadata: ClientMetadata) -> Iterator[str]:
    if metadata.token_endpoint_auth_method in KEY_METHODS:
        yield metadata.token_endpoint_auth_method
    if _signs_requests(metadata):
        yield "signed request objects"
    for prefix in ENCRYPTED:
        alg: str | None = getattr(metadata, f"{prefix}_alg")
        to_client = prefix != "request_object_encryption"
        if to_client and alg is not None and alg not in SYMMETRIC_ENCRYPTION_ALGS:
            yield f"{prefix}_alg {alg}"


def _signs_requests(metadata: ClientMetadata) -> bool:
    alg = metadata.request_object_signing_alg
    return alg in ASYMMETRIC_ALGS or (alg is None and metadata.require_signed_request_object)


def secrets_are_there(metadata: ClientMetadata) -> Found:
    """OIDC Core 10.1 and 10.2: symmetric algorithms work with a client secret."""
    if metadata.token_endpoint_auth_method in SECRET_METHODS:
        return
    for name in (*SIGNED, *(f"{prefix}_alg" for prefix in ENCRYPTED)):
        if getattr(metadata, name) in (*SYMMETRIC_ALGS, *SYMMETRIC_ENCRYPTION_ALGS):
            yield name, "must name an asymmetric algorithm: this client has no secret"


def auth_signing_alg_fits(metadata: ClientMetadata) -> Found:
    """OIDC Registration 2: the algorithm belongs to the two methods that sign an assertion."""
    alg, method = metadata.token_endpoint_auth_signing_alg, metadata.token_endpoint_auth_method
    fitting = {"client_secret_jwt": SYMMETRIC_ALGS, "private_key_jwt": ASYMMETRIC_ALGS}
    if alg is None or alg in fitting.get(method, ()):
        return
    if method in fitting:
        yield "token_endpoint_auth_signing_alg", f"must be one of: {', '.join(fitting[method])}"
    else:
        yield "token_endpoint_auth_signing_alg", f"must be left out with {method}"


def certificate_is_named_once(metadata: ClientMetadata) -> Found:
    """RFC 8705 section 2.1.2: exactly one of the five names, and only for that method."""
    named = [name for name in CERTIFICATE_NAMES if getattr(metadata, name) is not None]
    method = metadata.token_endpoint_auth_method
    if method == "tls_client_auth":
        if len(named) != 1:
            yield "token_endpoint_auth_method", f"needs exactly one of: {_list(CERTIFICATE_NAMES)}"
    elif named:
        yield named[0], 'must be left out unless token_endpoint_auth_method is "tls_client_auth"'


def id_token_is_signed(metadata: ClientMetadata) -> Found:
    """OIDC Registration 2: none only where no ID token passes through the browser."""
    through_browser = any("id_token" in name.split() for name in metadata.response_types)
    alg = metadata.id_token_signed_response_alg
    if alg == "none" and through_browser:
        yield "id_token_signed_response_alg", "must not be none when response_types has id_token"


def request_objects_are_signed(metadata: ClientMetadata) -> Found:
    """RFC 9101 section 10.5: requiring a signature and registering none contradict each other."""
    if metadata.require_signed_request_object and metadata.request_object_signing_alg == "none":
        yield "request_object_signing_alg", "must not be none with require_signed_request_object"


def encryption_is_whole(metadata: ClientMetadata) -> Found:
    """OIDC Registration 2: an enc is only meant together with its alg."""
    for prefix in ENCRYPTED:
        alg, enc = getattr(metadata, f"{prefix}_alg"), getattr(metadata, f"{prefix}_enc")
        if enc is not None and alg is None:
            yield f"{prefix}_enc", f"must be left out, or come with {prefix}_alg"


def pairwise_has_one_sector(metadata: ClientMetadata) -> Found:
    """OIDC Core 8.1: several hosts, or none, need a document that says whose they are."""
    if metadata.subject_type != "pairwise" or metadata.sector_identifier_uri:
        return
    hosts = hosts_of(metadata)
    if len(hosts) > 1:
        yield "sector_identifier_uri", "must be there: pairwise subjects and more than one host"
    elif not any(hosts):
        yield "sector_identifier_uri", "must be there: pairwise subjects and no host of its own"


def frontchannel_logout_is_at_home(metadata: ClientMetadata) -> Found:
    """Front-Channel Logout 2: scheme, host and port are those of a redirect address."""
    uri = metadata.frontchannel_logout_uri
    if uri is not None and origin(uri) not in {origin(one) for one in metadata.redirect_uris}:
        yield (
            "frontchannel_logout_uri",
            "must have the scheme, host and port of one of the redirect_uris",
        )


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)


_AUTH: Final = "token_endpoint_auth_method"
_BOUND: Final = ("dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens")
_ALGS: Final = (*SIGNED, *(f"{prefix}_alg" for prefix in ENCRYPTED))

RULES: Final = (
    Rule(("redirect_uris", "grant_types"), redirect_uris_are_there),
    Rule(("redirect_uris", "application_type"), redirect_uris_are_safe),
    Rule(("post_logout_redirect_uris", "application_type"), post_logout_redirect_uris_are_safe),
    Rule(("response_types", "grant_types"), grants_fit_response_types),
    Rule(
        (_AUTH, "grant_types", "require_pkce", "refresh_token_rotation"), public_clients_are_modest
    ),
    Rule(("token_exchange_audiences", "grant_types"), audiences_are_exchanged_for),
    Rule(("jwks", "jwks_uri"), keys_come_one_way),
    Rule(("jwks", "jwks_uri", _AUTH, *_ALGS), keys_are_there),
    Rule((_AUTH, *_ALGS), secrets_are_there),
    Rule(("token_endpoint_auth_signing_alg", _AUTH), auth_signing_alg_fits),
    Rule((_AUTH, *CERTIFICATE_NAMES), certificate_is_named_once),
    Rule(("id_token_signed_response_alg", "response_types"), id_token_is_signed),
    Rule(
        ("request_object_signing_alg", "require_signed_request_object"), request_objects_are_signed
    ),
    Rule(
        (*(f"{prefix}_alg" for prefix in ENCRYPTED), *(f"{prefix}_enc" for prefix in ENCRYPTED)),
        encryption_is_whole,
    ),
    Rule(("subject_type", "redirect_uris", "sector_identifier_uri"), pairwise_has_one_sector),
    Rule(("frontchannel_logout_uri", "redirect_uris"), frontchannel_logout_is_at_home),
    Rule(profile_rules.READ, profile_rules.profile_is_kept),
    Rule(("response_types", *_BOUND), profile_rules.bound_tokens_come_from_the_token_endpoint),
)
