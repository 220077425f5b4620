"""Profiles: one word in a registration, and all that it turns on.

What registration members can say, the word says for the client that leaves them out, and a member
that says otherwise is refused (``profile_rules``). What no member says is a ``Policy``, asked at
the few places that decide it. FAPI 2.0 Security Profile (SP) and Message Signing (MS), Final.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from idp.protocol.vocabulary import ASYMMETRIC_ALGS

FAPI2: Final = "fapi2"
FAPI2_MESSAGE_SIGNING: Final = "fapi2_message_signing"
PROFILES: Final = (FAPI2, FAPI2_MESSAGE_SIGNING)

FAPI_ALGS: Final = ("PS256", "ES256", "EdDSA", "Ed25519")
"""SP section 5.4.1; the last is what RFC 9864 calls the one before it."""

STRONG_METHODS: Final = ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth")
"""SP section 5.3.2.1: how a client may authenticate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a profile decides beside the members of a registration."""

    algorithms: tuple[str, ...] = ASYMMETRIC_ALGS
    """By which the client may sign to us: proofs, assertions, request objects."""
    issuer_only_audience: bool = False
    """May an assertion name the issuer alone as its audience, and as text?"""
    code_lifetime: timedelta | None = None
    """At most; the deployment's own may be shorter."""
    request_object_lifetime: timedelta | None = None
    """How far ahead a request object's ``exp`` may be, and how long ago its ``nbf``, both of which
    it must then have."""
    signed_responses: bool = False
    """Are answers of the authorization endpoint JWTs (JARM)?"""


DEFAULT_POLICY: Final = Policy()

_FAPI2: Final = Policy(
    algorithms=FAPI_ALGS,
    issuer_only_audience=True,  # SP section 5.3.2.1, on assertions
    code_lifetime=timedelta(seconds=60),  # SP section 5.3.2.1
)

POLICIES: Final[Mapping[str | None, Policy]] = {
    None: DEFAULT_POLICY,
    FAPI2: _FAPI2,
    FAPI2_MESSAGE_SIGNING: Policy(
        algorithms=_FAPI2.algorithms,
        issuer_only_audience=_FAPI2.issuer_only_audience,
        code_lifetime=_FAPI2.code_lifetime,
        request_object_lifetime=timedelta(minutes=60),  # MS section 5.3.1
        signed_responses=True,
    ),
}

_FAPI2_MEMBERS: Final[Mapping[str, object]] = {
    "token_endpoint_auth_method": "private_key_jwt",
    "id_token_signed_response_alg": "PS256",
    "require_pushed_authorization_requests": True,
    # SP section 5.3.2.1: a token that is replaced may get lost, and stealing a bound one is no use.
    "refresh_token_rotation": False,
}

SAID_BY_PROFILE: Final[Mapping[str | None, Mapping[str, object]]] = {
    None: {},
    FAPI2: _FAPI2_MEMBERS,
    FAPI2_MESSAGE_SIGNING: {
        **_FAPI2_MEMBERS,
        "require_signed_request_object": True,
        "authorization_signed_response_alg": "PS256",
    },
}
"""What each profile says for members that a registration leaves out."""
