"""What a relying party registers: every member, its type, its default, its problems.

OIDC Dynamic Client Registration 1.0 section 2, RFC 7591 section 2, the three logout
specifications, and the members that later RFCs registered beside them; then our own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar

from idp.protocol import metadata_readers as read
from idp.protocol.claim_mapping import claim_mapping as read_claim_mapping
from idp.protocol.json_values import Json, thaw
from idp.protocol.policy import POLICIES, PROFILES, Policy
from idp.protocol.scopes import SCOPE_NAMES
from idp.protocol.urls import MAX_URL
from idp.protocol.vocabulary import (
    APPLICATION_TYPES,
    AUTH_METHODS,
    ENCRYPTION_ALGS,
    ENCRYPTION_ENCS,
    GRANT_TYPES,
    SIGNING_ALGS,
    SIGNING_ALGS_OR_NONE,
    SUBJECT_TYPES,
)

T = TypeVar("T")

TOKEN_FORMATS: Final = ("jwt", "opaque")
USER_VERIFICATION: Final = ("required", "preferred", "discouraged")
CONSENT_RULES: Final = ("remember", "always", "never")
ADMITS_NOBODY: Final = "nobody"


def member(reader: Callable[[object], T], default: T) -> T:
    """A field that ``reader`` reads from JSON, typed as what it holds."""
    return field(default=default, metadata={"reader": reader})


_address = read.text(MAX_URL)
_alg = read.one_of(SIGNING_ALGS)
_alg_or_none = read.one_of(SIGNING_ALGS_OR_NONE)
_encryption_alg = read.one_of(ENCRYPTION_ALGS)
_encryption_enc = read.one_of(ENCRYPTION_ENCS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMetadata:
    """A registration that holds together; made by ``registration.parse_client_metadata``.

    Ages are in seconds. ``acr`` values are names as the client wrote them: aliases are resolved
    where the ladder is known.
    """

    # How it talks to us (RFC 7591 section 2)
    redirect_uris: tuple[str, ...] = member(read.many(_address), ())
    response_types: tuple[str, ...] = member(read.many(read.response_type), ("code",))
    grant_types: tuple[str, ...] = member(
        read.many(read.one_of(GRANT_TYPES)), ("authorization_code",)
    )
    application_type: str = member(read.one_of(APPLICATION_TYPES), "web")
    token_endpoint_auth_method: str = member(read.one_of(AUTH_METHODS), "client_secret_basic")
    token_endpoint_auth_signing_alg: str | None = member(_alg, None)
    jwks_uri: str | None = member(read.web_url, None)
    jwks: Mapping[str, Json] | None = member(read.jwks, None)
    scope: tuple[str, ...] = member(read.scope, SCOPE_NAMES)

    # Who it is, for people (``localized`` holds the same with a #language tag)
    client_name: str | None = member(read.shown_text(200), None)
    client_uri: str | None = member(read.web_url, None)
    logo_uri: str | None = member(read.web_url, None)
    policy_uri: str | None = member(read.web_url, None)
    tos_uri: str | None = member(read.web_url, None)
    contacts: tuple[str, ...] = member(read.many(read.shown_text(320)), ())
    software_id: str | None = member(read.text(255), None)
    software_version: str | None = member(read.text(255), None)
    localized: tuple[tuple[str, str], ...] = ()

    # What it gets (OIDC Registration section 2)
    subject_type: str = member(read.one_of(SUBJECT_TYPES), "public")
    sector_identifier_uri: str | None = member(read.web_url, None)
    id_token_signed_response_alg: str = member(_alg_or_none, "RS256")
    id_token_encrypted_response_alg: str | None = member(_encryption_alg, None)
    id_token_encrypted_response_enc: str | None = member(_encryption_enc, None)
    userinfo_signed_response_alg: str | None = member(_alg_or_none, None)
    userinfo_encrypted_response_alg: str | None = member(_encryption_alg, None)
    userinfo_encrypted_response_enc: str | None = member(_encryption_enc, None)
    authorization_signed_response_alg: str | None = member(_alg, None)  # JARM section 3
    authorization_encrypted_response_alg: str | None = member(_encryption_alg, None)
    authorization_encrypted_response_enc: str | None = member(_encryption_enc, None)
    introspection_signed_response_alg: str | None = member(_alg, None)  # RFC 9701 section 6
    introspection_encrypted_response_alg: str | None = member(_encryption_alg, None)
    introspection_encrypted_response_enc: str | None = member(_encryption_enc, None)

    # What it sends (OIDC Registration section 2, RFC 9101 section 10.5, RFC 9126 section 6)
    request_uris: tuple[str, ...] = member(read.many(read.request_uri), ())
    request_object_signing_alg: str | None = member(_alg_or_none, None)
    request_object_encryption_alg: str | None = member(_encryption_alg, None)
    request_object_encryption_enc: str | None = member(_encryption_enc, None)
    require_signed_request_object: bool = member(read.boolean, False)
    require_pushed_authorization_requests: bool = member(read.boolean, False)
    authorization_details_types: tuple[str, ...] = member(read.many(read.text(255)), ())  # RFC 9396

    # What it expects of a sign-in (OIDC Registration section 2)
    default_max_age: int | None = member(read.seconds, None)
    require_auth_time: bool = member(read.boolean, False)
    default_acr_values: tuple[str, ...] = member(read.many(read.text(255)), ())
    initiate_login_uri: str | None = member(read.web_url, None)

    # How it is told of a sign-out (RP-Initiated, Front-Channel, Back-Channel Logout 1.0)
    post_logout_redirect_uris: tuple[str, ...] = member(read.many(_address), ())
    frontchannel_logout_uri: str | None = member(read.web_url, None)
    frontchannel_logout_session_required: bool = member(read.boolean, False)
    backchannel_logout_uri: str | None = member(read.web_url, None)
    backchannel_logout_session_required: bool = member(read.boolean, False)

    # What its tokens are bound to (RFC 8705 sections 2.1.2 and 3.4, RFC 9449 section 5.2)
    tls_client_auth_subject_dn: str | None = member(read.text(1024), None)
    tls_client_auth_san_dns: str | None = member(read.text(255), None)
    tls_client_auth_san_uri: str | None = member(read.text(MAX_URL), None)
    tls_client_auth_san_ip: str | None = member(read.text(64), None)
    tls_client_auth_san_email: str | None = member(read.text(320), None)
    tls_client_certificate_bound_access_tokens: bool = member(read.boolean, False)
    dpop_bound_access_tokens: bool = member(read.boolean, False)

    # Ours
    profile: str | None = member(read.one_of(PROFILES), None)
    require_pkce: bool = member(read.boolean, True)
    access_token_format: str = member(read.one_of(TOKEN_FORMATS), "jwt")
    refresh_token_ends_with_session: bool = member(read.boolean, False)
    refresh_token_rotation: bool = member(read.boolean, True)
    consent: str = member(read.one_of(CONSENT_RULES), "remember")
    acr_values_voluntary: bool = member(read.boolean, False)
    minimum_acr: str | None = member(read.text(255), None)
    max_auth_age: int | None = member(read.seconds, None)
    confirm_operation_acr: str | None = member(read.text(255), None)
    enrol_in_step_up: bool = member(read.boolean, True)
    user_verification: str | None = member(read.one_of(USER_VERIFICATION), None)
    refused_methods: tuple[str, ...] = member(read.many(read.text(64)), ())
    allowed_groups: tuple[str, ...] = member(read.many(read.shown_text(255)), ())
    admits: str | None = member(read.one_of((ADMITS_NOBODY,)), None)
    """None: whom ``allowed_groups`` says."""
    told_groups: tuple[str, ...] = member(read.many(read.shown_text(255)), ())
    """None named: all of a person's."""
    claim_mapping: Mapping[str, str] | None = member(read_claim_mapping, None)
    owner_groups: tuple[str, ...] = member(read.many(read.shown_text(255)), ())
    allowed_resources: tuple[str, ...] = member(read.many(read.resource), ())
    """None named: any for a person's tokens, who allowed it; none for the client's own."""
    token_exchange_audiences: tuple[str, ...] = member(read.many(read.text(MAX_URL)), ())

    unknown: tuple[str, ...] = field(default=(), compare=False)
    """Members that were sent and that nobody here knows; not kept."""

    @property
    def is_public(self) -> bool:
        """Whether the client has nothing to authenticate with (RFC 6749 section 2.1)."""
        return self.token_endpoint_auth_method == "none"  # noqa: S105  the method, no password

    @property
    def policy(self) -> Policy:
        """What its profile decides beside the members."""
        return POLICIES[self.profile]

    @property
    def binds_tokens(self) -> bool:
        """Whether its access tokens must be bound to a key or a certificate."""
        return self.dpop_bound_access_tokens or self.tls_client_certificate_bound_access_tokens

    @property
    def pkce_required(self) -> bool:
        """RFC 9700 section 2.1.1: always for a public client, else as registered."""
        return self.require_pkce or self.is_public

    def to_json(self) -> dict[str, object]:
        """The registration as RFC 7591 members; what is not set and has no default is left out."""
        members = {one.name: _as_member(one.name, getattr(self, one.name)) for one in MEMBERS}
        kept = {one.name for one in MEMBERS if not _is_unset(getattr(self, one.name), one.default)}
        return {name: value for name, value in members.items() if name in kept} | dict(
            self.localized
        )


MEMBERS: Final = tuple(one for one in fields(ClientMetadata) if "reader" in one.metadata)
MEMBER_NAMES: Final = frozenset(one.name for one in MEMBERS)

OWN_MEMBERS: Final = frozenset(
    (
        *("require_pkce", "access_token_format", "refresh_token_rotation"),
        *("consent", "acr_values_voluntary"),
        *("minimum_acr", "max_auth_age", "refused_methods", "allowed_groups", "admits"),
        *("told_groups", "claim_mapping"),
        "owner_groups",
        *("confirm_operation_acr", "enrol_in_step_up", "user_verification"),
        *("allowed_resources", "token_exchange_audiences"),
        "refresh_token_ends_with_session",
    )
)
"""Policy of this provider. Whoever lets a client register itself must not let it set these."""

ISSUED_MEMBERS: Final = frozenset(
    (
        *("client_id", "client_secret", "client_id_issued_at", "client_secret_expires_at"),
        *("registration_access_token", "registration_client_uri"),
    )
)
"""What a registration's answer adds (RFC 7591 section 3.2.1); sent back, it is not metadata."""

LOCALIZED_MEMBERS: Final = ("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri")
"""RFC 7591 section 2.2: these may come with a ``#language`` tag."""


def _is_unset(value: object, default: object) -> bool:
    return value is None or (value == () and default == ())


def _as_member(name: str, value: Any) -> object:
    return " ".join(value) if name == "scope" else thaw(value)
