"""What a profile refuses in a registration: members that contradict it, each with what to do."""

from collections.abc import Iterator
from typing import Final

from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.policy import FAPI2_MESSAGE_SIGNING, FAPI_ALGS, STRONG_METHODS

Found = Iterator[tuple[str, str]]

_SIGNED: Final = (
    *("id_token_signed_response_alg", "userinfo_signed_response_alg"),
    *("request_object_signing_alg", "authorization_signed_response_alg"),
    *("introspection_signed_response_alg", "token_endpoint_auth_signing_alg"),
)

READ: Final = (
    *("profile", "token_endpoint_auth_method", "response_types", "redirect_uris", "require_pkce"),
    *("require_pushed_authorization_requests", "require_signed_request_object"),
    *("dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens", *_SIGNED),
)
"""The members that these rules look at."""


def profile_is_kept(metadata: ClientMetadata) -> Found:
    """FAPI 2.0 SP section 5.3.2, MS section 5.3: whatever the registration says otherwise."""
    if metadata.profile is None:
        return
    yield from _authenticates(metadata)
    yield from _is_bound(metadata)
    yield from _asks_for_codes(metadata)
    yield from _signs_well(metadata)
    if metadata.profile == FAPI2_MESSAGE_SIGNING and not metadata.require_signed_request_object:
        yield "require_signed_request_object", f"must be true, or left out, {_with(metadata)}"


def _authenticates(metadata: ClientMetadata) -> Found:
    if metadata.token_endpoint_auth_method not in STRONG_METHODS:
        yield (
            "token_endpoint_auth_method",
            f"must be one of: {', '.join(STRONG_METHODS)} {_with(metadata)}",
        )


def _is_bound(metadata: ClientMetadata) -> Found:
    if not metadata.binds_tokens:
        yield (
            "dpop_bound_access_tokens",
            "must be true, or tls_client_certificate_bound_access_tokens must be, "
            f"{_with(metadata)}: say which of the two the client does",
        )


def _asks_for_codes(metadata: ClientMetadata) -> Found:
    if any(one != "code" for one in metadata.response_types):
        yield "response_types", f'must list "code" only {_with(metadata)}'
    if not metadata.require_pushed_authorization_requests:
        yield (
            "require_pushed_authorization_requests",
            f"must be true, or left out, {_with(metadata)}",
        )
    if not metadata.require_pkce:
        yield "require_pkce", f"must be true, or left out, {_with(metadata)}"
    if any(not uri.startswith("https://") for uri in metadata.redirect_uris):
        yield "redirect_uris", f"must all start with https:// {_with(metadata)}"


def _signs_well(metadata: ClientMetadata) -> Found:
    for name in _SIGNED:
        if getattr(metadata, name) not in (None, *FAPI_ALGS):
            yield name, f"must be one of: {', '.join(FAPI_ALGS)} {_with(metadata)}"


def _with(metadata: ClientMetadata) -> str:
    return f"with profile {metadata.profile}"


def bound_tokens_come_from_the_token_endpoint(metadata: ClientMetadata) -> Found:
    """RFC 9449 section 4, RFC 8705 section 3: in a redirect there is nothing to bind a token to."""
    if metadata.binds_tokens and any("token" in one.split() for one in metadata.response_types):
        yield "response_types", "must not have token when access tokens must be bound"
