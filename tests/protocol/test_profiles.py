"""Profiles: what one word in a registration turns on, and which other words contradict it."""

from typing import Any

import pytest

from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.policy import DEFAULT_POLICY, FAPI_ALGS, PROFILES
from idp.protocol.registration import InvalidClientMetadata, parse_client_metadata

KEY = {"kty": "EC", "crv": "P-256", "x": "a", "y": "b", "kid": "1"}
LEAST: dict[str, Any] = {
    "redirect_uris": ["https://app.example/cb"],
    "jwks": {"keys": [KEY]},
    "dpop_bound_access_tokens": True,
}


def parsed(profile: str | None, **members: Any) -> ClientMetadata:
    return parse_client_metadata({**LEAST, "profile": profile, **members})


def problems(profile: str | None, **members: Any) -> dict[str, str]:
    with pytest.raises(InvalidClientMetadata) as refused:
        parsed(profile, **members)
    return dict(refused.value.problems)


@pytest.mark.parametrize("profile", PROFILES)
def test_one_word_turns_all_of_it_on(profile: str):
    metadata = parsed(profile)
    assert metadata.token_endpoint_auth_method == "private_key_jwt"
    assert metadata.id_token_signed_response_alg == "PS256"
    assert metadata.require_pushed_authorization_requests
    assert metadata.pkce_required
    assert metadata.response_types == ("code",)
    assert metadata.binds_tokens
    assert not metadata.refresh_token_rotation
    policy = metadata.policy
    assert policy.algorithms == FAPI_ALGS
    assert policy.issuer_only_audience
    assert policy.code_lifetime is not None
    assert policy.code_lifetime.total_seconds() == 60


def test_message_signing_turns_on_more():
    metadata = parsed("fapi2_message_signing")
    assert metadata.require_signed_request_object
    assert metadata.authorization_signed_response_alg == "PS256"
    assert metadata.policy.signed_responses
    lifetime = metadata.policy.request_object_lifetime
    assert lifetime is not None
    assert lifetime.total_seconds() == 3600


def test_without_a_profile_nothing_is_turned_on():
    metadata = parsed(None)
    assert metadata == parse_client_metadata(LEAST)
    assert metadata.policy == DEFAULT_POLICY
    assert metadata.refresh_token_rotation
    assert not metadata.require_pushed_authorization_requests


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint_auth_method": "self_signed_tls_client_auth"},
        {
            "token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_san_dns": "app.example",
        },
        {"dpop_bound_access_tokens": False, "tls_client_certificate_bound_access_tokens": True},
        {"id_token_signed_response_alg": "ES256"},
        {"token_endpoint_auth_signing_alg": "EdDSA"},
        {"require_pkce": True, "require_pushed_authorization_requests": True},
        {"refresh_token_rotation": True},
    ],
    ids="-".join,
)
def test_what_agrees_with_it_may_be_said(profile: str, members: dict[str, Any]):
    metadata = parsed(profile, **members)
    for name, value in members.items():
        assert getattr(metadata, name) == value


CONTRADICTIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a secret": (
        {"token_endpoint_auth_method": "client_secret_basic"},
        "token_endpoint_auth_method",
        "private_key_jwt, tls_client_auth, self_signed_tls_client_auth",
    ),
    "a public client": (
        {"token_endpoint_auth_method": "none"},
        "token_endpoint_auth_method",
        "must be one of",
    ),
    "nothing to bind tokens to": (
        {"dpop_bound_access_tokens": None},
        "dpop_bound_access_tokens",
        "tls_client_certificate_bound_access_tokens",
    ),
    "another response type": (
        {
            "response_types": ["code", "code id_token"],
            "grant_types": ["authorization_code", "implicit"],
        },
        "response_types",
        'must list "code" only',
    ),
    "no push": (
        {"require_pushed_authorization_requests": False},
        "require_pushed_authorization_requests",
        "must be true",
    ),
    "no PKCE": ({"require_pkce": False}, "require_pkce", "must be true"),
    "plain http": (
        {"redirect_uris": ["http://localhost/cb"], "application_type": "native"},
        "redirect_uris",
        "https://",
    ),
    "ID tokens by RS256": (
        {"id_token_signed_response_alg": "RS256"},
        "id_token_signed_response_alg",
        "PS256, ES256, EdDSA",
    ),
    "userinfo by RS256": (
        {"userinfo_signed_response_alg": "RS256"},
        "userinfo_signed_response_alg",
        "PS256, ES256, EdDSA",
    ),
    "request objects by RS256": (
        {"request_object_signing_alg": "RS256"},
        "request_object_signing_alg",
        "PS256, ES256, EdDSA",
    ),
    "unsigned request objects": (
        {"request_object_signing_alg": "none"},
        "request_object_signing_alg",
        "PS256, ES256, EdDSA",
    ),
    "assertions by PS512": (
        {"token_endpoint_auth_signing_alg": "PS512"},
        "token_endpoint_auth_signing_alg",
        "PS256, ES256, EdDSA",
    ),
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("members", "name", "sentence"), CONTRADICTIONS.values(), ids=CONTRADICTIONS
)
def test_what_contradicts_it_is_refused_with_what_to_do(
    profile: str, members: dict[str, Any], name: str, sentence: str
):
    told = problems(profile, **members)[name]
    assert sentence in told
    assert f"with profile {profile}" in told


def test_message_signing_cannot_do_without_signatures():
    told = problems("fapi2_message_signing", require_signed_request_object=False)
    assert "must be true" in told["require_signed_request_object"]
    assert parsed("fapi2", require_signed_request_object=False)
    told = problems("fapi2_message_signing", authorization_signed_response_alg="RS256")
    assert "PS256" in told["authorization_signed_response_alg"]


def test_another_word_is_refused():
    assert "fapi2, fapi2_message_signing" in problems("fapi1")["profile"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_registration_that_is_kept_and_read_again_is_the_same(profile: str):
    metadata = parsed(profile)
    assert parse_client_metadata(metadata.to_json()) == metadata


@pytest.mark.parametrize(
    "member", ["dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens"]
)
def test_bound_tokens_do_not_come_in_a_redirect(member: str):
    members = {"dpop_bound_access_tokens": None, member: True}
    grants = ["authorization_code", "implicit"]
    told = problems(None, **members, response_types=["code token"], grant_types=grants)
    assert "must not have token" in told["response_types"]
    assert parsed(None, **members, response_types=["code id_token"], grant_types=grants)
