"""Registrations: every member typed, every problem told at once, nothing lost on the way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.capabilities import Capabilities
from idp.protocol.client_metadata import (
    ISSUED_MEMBERS,
    MEMBER_NAMES,
    MEMBERS,
    OWN_MEMBERS,
    ClientMetadata,
)
from idp.protocol.errors import OAuthError
from idp.protocol.registration import InvalidClientMetadata, parse_client_metadata
from idp.protocol.scopes import SCOPE_NAMES
from idp.protocol.vocabulary import TOKEN_EXCHANGE
from tests.protocol.attempts import attempt

CALLBACK = "https://app.example/cb"
BASE: dict[str, object] = {"redirect_uris": [CALLBACK]}
KEY = {"kty": "EC", "crv": "P-256", "x": "a", "y": "b", "kid": "1"}

OIDC_REGISTRATION = {
    *("redirect_uris", "response_types", "grant_types", "application_type", "contacts"),
    *("client_name", "logo_uri", "client_uri", "policy_uri", "tos_uri", "jwks_uri", "jwks"),
    *("sector_identifier_uri", "subject_type", "id_token_signed_response_alg"),
    *("id_token_encrypted_response_alg", "id_token_encrypted_response_enc"),
    *("userinfo_signed_response_alg", "userinfo_encrypted_response_alg"),
    *("userinfo_encrypted_response_enc", "request_object_signing_alg"),
    *("request_object_encryption_alg", "request_object_encryption_enc"),
    *("token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "default_max_age"),
    *("require_auth_time", "default_acr_values", "initiate_login_uri", "request_uris"),
}
RFC_7591 = {
    *("redirect_uris", "token_endpoint_auth_method", "grant_types", "response_types"),
    *("client_name", "client_uri", "logo_uri", "scope", "contacts", "tos_uri", "policy_uri"),
    *("jwks_uri", "jwks", "software_id", "software_version"),
}
LOGOUT = {
    *("post_logout_redirect_uris", "frontchannel_logout_uri", "backchannel_logout_uri"),
    *("frontchannel_logout_session_required", "backchannel_logout_session_required"),
}


def problems(
    members: object, capabilities: Capabilities | None = None
) -> tuple[tuple[str, str], ...]:
    with pytest.raises(InvalidClientMetadata) as refused:
        parse_client_metadata(members, capabilities)
    return refused.value.problems


def table(cases):
    return [pytest.param(*case[1:], id=case[0]) for case in cases]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(OIDC_REGISTRATION, id="OIDC Dynamic Registration"),
        pytest.param(RFC_7591, id="RFC 7591"),
        pytest.param(LOGOUT, id="the three logout specifications"),
        pytest.param(OWN_MEMBERS, id="our own"),
    ],
)
def test_every_member_is_known(names):
    assert names <= MEMBER_NAMES


def test_the_defaults_are_those_of_the_specifications():
    metadata = parse_client_metadata(BASE)
    assert metadata.response_types == ("code",)
    assert metadata.grant_types == ("authorization_code",)
    assert metadata.token_endpoint_auth_method == "client_secret_basic"
    assert metadata.application_type == "web"
    assert metadata.subject_type == "public"
    assert metadata.id_token_signed_response_alg == "RS256"
    assert metadata.userinfo_signed_response_alg is None
    assert metadata.scope == SCOPE_NAMES
    assert metadata.default_max_age is None
    assert metadata.require_auth_time is False
    assert metadata.frontchannel_logout_session_required is False
    assert metadata.backchannel_logout_session_required is False


def test_our_defaults_are_the_strict_ones():
    metadata = parse_client_metadata(BASE)
    assert metadata.require_pkce is True
    assert metadata.access_token_format == "jwt"
    assert metadata.consent == "remember"
    assert metadata.acr_values_voluntary is False
    assert metadata.minimum_acr is None
    assert metadata.max_auth_age is None
    assert metadata.refused_methods == ()
    assert metadata.allowed_groups == ()
    assert metadata.admits is None
    assert metadata.allowed_resources == ()
    assert metadata.token_exchange_audiences == ()


FULL: dict[str, object] = {
    "redirect_uris": [CALLBACK, "https://app.example/other?x=1", "http://localhost:9000/cb"],
    "response_types": ["code", "id_token", "code id_token"],
    "grant_types": ["authorization_code", "implicit", "refresh_token", TOKEN_EXCHANGE],
    "application_type": "web",
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "jwks": {"keys": [KEY, {**KEY, "kid": "2"}]},
    "scope": "openid email orders:read",
    "client_name": "Shop",
    "client_name#ja": "店",
    "client_uri": "https://app.example/",
    "logo_uri": "https://app.example/logo.png",
    "policy_uri": "https://app.example/privacy",
    "tos_uri": "https://app.example/terms",
    "tos_uri#de-AT": "https://app.example/agb",
    "contacts": ["ops@app.example"],
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
    "software_version": "2.1",
    "subject_type": "pairwise",
    "sector_identifier_uri": "https://app.example/sector.json",
    "id_token_signed_response_alg": "ES256",
    "id_token_encrypted_response_alg": "ECDH-ES",
    "id_token_encrypted_response_enc": "A256GCM",
    "userinfo_signed_response_alg": "PS256",
    "userinfo_encrypted_response_alg": "RSA-OAEP-256",
    "userinfo_encrypted_response_enc": "A128CBC-HS256",
    "authorization_signed_response_alg": "EdDSA",
    "authorization_encrypted_response_alg": "ECDH-ES",
    "authorization_encrypted_response_enc": "A256GCM",
    "introspection_signed_response_alg": "ES256",
    "introspection_encrypted_response_alg": "ECDH-ES",
    "introspection_encrypted_response_enc": "A256GCM",
    "request_uris": ["https://app.example/request.jwt#hash"],
    "request_object_signing_alg": "ES256",
    "request_object_encryption_alg": "RSA-OAEP-256",
    "request_object_encryption_enc": "A256GCM",
    "require_signed_request_object": True,
    "require_pushed_authorization_requests": True,
    "authorization_details_types": ["confirm_operation"],
    "default_max_age": 3600,
    "require_auth_time": True,
    "default_acr_values": ["phr", "https://refeds.org/profile/mfa"],
    "initiate_login_uri": "https://app.example/login",
    "post_logout_redirect_uris": ["https://app.example/bye"],
    "frontchannel_logout_uri": "https://app.example/out?a=b",
    "frontchannel_logout_session_required": True,
    "backchannel_logout_uri": "https://app.example/backchannel",
    "backchannel_logout_session_required": True,
    "tls_client_certificate_bound_access_tokens": True,
    "dpop_bound_access_tokens": True,
    "require_pkce": False,
    "access_token_format": "opaque",
    "refresh_token_rotation": False,
    "consent": "always",
    "acr_values_voluntary": True,
    "minimum_acr": "urn:idp:acr:mfa",
    "max_auth_age": 0,
    "refused_methods": ["magic_link"],
    "user_verification": "required",
    "confirm_operation_acr": "urn:idp:acr:mfa",
    "enrol_in_step_up": False,
    "refresh_token_ends_with_session": True,
    "owner_groups": ["Keepers"],
    "allowed_groups": ["staff"],
    "admits": "nobody",
    "told_groups": ["staff", "cooks"],
    "claim_mapping": {"preferred_username": "email"},
    "allowed_resources": ["https://api.example", "urn:example:api"],
    "token_exchange_audiences": ["ledger", "https://books.example"],
}


def test_a_full_registration_comes_back_word_for_word():
    metadata = parse_client_metadata(FULL)
    assert json.loads(json.dumps(metadata.to_json())) == FULL
    assert metadata.unknown == ()


def test_the_full_registration_tries_every_member():
    certificate = {name for name in MEMBER_NAMES if name.startswith("tls_client_auth_")}
    # A profile refuses half of the others: tests/protocol/test_profiles.py.
    assert set(FULL) >= MEMBER_NAMES - certificate - {"jwks_uri", "profile"}


@pytest.mark.parametrize(
    "members",
    table(
        [
            ("the least that is possible", BASE),
            (
                "a public client",
                {**BASE, "token_endpoint_auth_method": "none", "application_type": "native"},
            ),
            ("a machine", {"grant_types": ["client_credentials"]}),
            ("a machine with an empty list", {**BASE, "grant_types": [], "response_types": []}),
            (
                "a device",
                {
                    "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
                    "token_endpoint_auth_method": "none",
                },
            ),
            ("no scope at all", {**BASE, "scope": ""}),
            (
                "a certificate",
                {
                    **BASE,
                    "token_endpoint_auth_method": "tls_client_auth",
                    "tls_client_auth_san_dns": "app.example",
                },
            ),
            (
                "a secret that signs",
                {
                    **BASE,
                    "token_endpoint_auth_method": "client_secret_jwt",
                    "token_endpoint_auth_signing_alg": "HS256",
                    "id_token_signed_response_alg": "HS256",
                },
            ),
            ("pairwise on one host", {**BASE, "subject_type": "pairwise"}),
            (
                "an unsigned ID token of the code flow",
                {**BASE, "id_token_signed_response_alg": "none"},
            ),
        ]
    ),
)
def test_may_be_registered_and_comes_back_the_same(members):
    metadata = parse_client_metadata(members)
    assert parse_client_metadata(metadata.to_json()) == metadata


@pytest.mark.parametrize(
    ("changes", "member", "words"),
    table(
        [
            ("no redirect address", {"redirect_uris": []}, "redirect_uris", "at least one"),
            ("null for it", {"redirect_uris": None}, "redirect_uris", "at least one"),
            ("text for the list", {"redirect_uris": CALLBACK}, "redirect_uris", "list"),
            ("a number in it", {"redirect_uris": [7]}, "redirect_uris", "item 1 must be text"),
            ("a fragment", {"redirect_uris": [f"{CALLBACK}#x"]}, "redirect_uris", "# part"),
            (
                "plain http, second",
                {"redirect_uris": [CALLBACK, "http://app.example/"]},
                "redirect_uris",
                "item 2 must start with https://",
            ),
            (
                "too many addresses",
                {"redirect_uris": [f"{CALLBACK}/{n}" for n in range(51)]},
                "redirect_uris",
                "at most 50",
            ),
            ("an unknown grant", {"grant_types": ["magic"]}, "grant_types", "must be one of"),
            (
                "the password grant",
                {"grant_types": ["password"]},
                "grant_types",
                "must be one of",
            ),
            (
                "an unknown response type",
                {"response_types": ["code", "x"]},
                "response_types",
                "item 2 must list only",
            ),
            (
                "implicit without its grant",
                {"response_types": ["id_token"]},
                "grant_types",
                'must list "implicit"',
            ),
            (
                "hybrid without its grant",
                {"response_types": ["code token"]},
                "grant_types",
                'must list "implicit"',
            ),
            (
                "code without its grant",
                {"grant_types": ["implicit"]},
                "grant_types",
                'must list "authorization_code"',
            ),
            (
                "an unknown way to authenticate",
                {"token_endpoint_auth_method": "handshake"},
                "token_endpoint_auth_method",
                "must be one of",
            ),
            (
                "an assertion without keys",
                {"token_endpoint_auth_method": "private_key_jwt"},
                "jwks_uri",
                "private_key_jwt",
            ),
            (
                "a self-signed certificate without keys",
                {"token_endpoint_auth_method": "self_signed_tls_client_auth"},
                "jwks_uri",
                "self_signed_tls_client_auth",
            ),
            (
                "signed requests without keys",
                {"request_object_signing_alg": "RS256"},
                "jwks_uri",
                "signed request objects",
            ),
            (
                "required signatures without keys",
                {"require_signed_request_object": True},
                "jwks_uri",
                "signed request objects",
            ),
            (
                "required signatures of none",
                {"require_signed_request_object": True, "request_object_signing_alg": "none"},
                "request_object_signing_alg",
                "must not be none",
            ),
            (
                "encryption without keys",
                {"id_token_encrypted_response_alg": "ECDH-ES"},
                "jwks_uri",
                "id_token_encrypted_response_alg",
            ),
            (
                "an enc without its alg",
                {"userinfo_encrypted_response_enc": "A256GCM"},
                "userinfo_encrypted_response_enc",
                "userinfo_encrypted_response_alg",
            ),
            (
                "keys two ways",
                {"jwks": {"keys": [KEY]}, "jwks_uri": "https://app.example/jwks"},
                "jwks",
                "left out",
            ),
            ("keys that are a list", {"jwks": [KEY]}, "jwks", "JWK Set"),
            ("no keys", {"jwks": {"keys": []}}, "jwks", "has no key"),
            ("a key that is text", {"jwks": {"keys": ["x"]}}, "jwks", "kty"),
            ("a private key", {"jwks": {"keys": [{**KEY, "d": "x"}]}}, "jwks", "public keys only"),
            ("a shared key", {"jwks": {"keys": [{"kty": "oct"}]}}, "jwks", "public keys only"),
            ("two keys of one name", {"jwks": {"keys": [KEY, KEY]}}, "jwks", "same kid"),
            ("a key named by a number", {"jwks": {"keys": [{**KEY, "kid": 1}]}}, "jwks", "kid"),
            ("21 keys", {"jwks": {"keys": [{"kty": "RSA"}] * 21}}, "jwks", "at most 20"),
            (
                "an alg of the wrong kind for an assertion",
                {
                    "token_endpoint_auth_method": "private_key_jwt",
                    "token_endpoint_auth_signing_alg": "HS256",
                    "jwks_uri": "https://app.example/jwks",
                },
                "token_endpoint_auth_signing_alg",
                "must be one of: RS256",
            ),
            (
                "an unsigned assertion",
                {"token_endpoint_auth_signing_alg": "none"},
                "token_endpoint_auth_signing_alg",
                "must be one of",
            ),
            (
                "an alg where nothing is signed",
                {"token_endpoint_auth_signing_alg": "ES256"},
                "token_endpoint_auth_signing_alg",
                "must be left out with client_secret_basic",
            ),
            (
                "a certificate without a name",
                {"token_endpoint_auth_method": "tls_client_auth"},
                "token_endpoint_auth_method",
                "exactly one",
            ),
            (
                "a certificate with two names",
                {
                    "token_endpoint_auth_method": "tls_client_auth",
                    "tls_client_auth_san_dns": "app.example",
                    "tls_client_auth_san_ip": "192.0.2.1",
                },
                "token_endpoint_auth_method",
                "exactly one",
            ),
            (
                "a certificate name for another method",
                {"tls_client_auth_san_dns": "app.example"},
                "tls_client_auth_san_dns",
                "left out",
            ),
            (
                "a public client that acts for itself",
                {
                    "token_endpoint_auth_method": "none",
                    "grant_types": ["authorization_code", "client_credentials"],
                },
                "grant_types",
                "client_credentials",
            ),
            (
                "a public client that exchanges tokens",
                {
                    "token_endpoint_auth_method": "none",
                    "grant_types": ["authorization_code", TOKEN_EXCHANGE],
                },
                "grant_types",
                "token-exchange",
            ),
            (
                "audiences that nothing is exchanged for",
                {"token_exchange_audiences": ["ledger"]},
                "token_exchange_audiences",
                "must be left out",
            ),
            (
                "a resource that is no address",
                {"allowed_resources": ["ledger"]},
                "allowed_resources",
                "absolute URI",
            ),
            (
                "a resource with a fragment",
                {"allowed_resources": ["https://api.example/#x"]},
                "allowed_resources",
                "without a # part",
            ),
            (
                "a public client without PKCE",
                {"token_endpoint_auth_method": "none", "require_pkce": False},
                "require_pkce",
                "must be true",
            ),
            (
                "a public client with a shared secret's signature",
                {"token_endpoint_auth_method": "none", "id_token_signed_response_alg": "HS256"},
                "id_token_signed_response_alg",
                "no secret",
            ),
            (
                "an unsigned ID token through the browser",
                {
                    "response_types": ["code id_token"],
                    "grant_types": ["authorization_code", "implicit"],
                    "id_token_signed_response_alg": "none",
                },
                "id_token_signed_response_alg",
                "must not be none",
            ),
            (
                "pairwise over two hosts",
                {
                    "subject_type": "pairwise",
                    "redirect_uris": [CALLBACK, "https://other.example/"],
                },
                "sector_identifier_uri",
                "must be there",
            ),
            (
                "pairwise without a host",
                {
                    "subject_type": "pairwise",
                    "application_type": "native",
                    "redirect_uris": ["com.example.app:/callback"],
                },
                "sector_identifier_uri",
                "no host of its own",
            ),
            (
                "a public client that keeps its refresh token",
                {"token_endpoint_auth_method": "none", "refresh_token_rotation": False},
                "refresh_token_rotation",
                "must be true",
            ),
            (
                "a sector over http",
                {"sector_identifier_uri": "http://app.example/"},
                *("sector_identifier_uri", "https://"),
            ),
            (
                "a login page over http",
                {"initiate_login_uri": "http://app.example/login"},
                *("initiate_login_uri", "https://"),
            ),
            ("a script as logo", {"logo_uri": "javascript:alert(1)"}, "logo_uri", "https://"),
            ("a number as logo", {"logo_uri": 7}, "logo_uri", "URL"),
            ("an empty logo", {"logo_uri": ""}, "logo_uri", "complete URL"),
            ("an empty name", {"client_name": ""}, "client_name", "1 to 200"),
            ("a blank name", {"client_name": "   "}, "client_name", "readable"),
            (
                "a name that turns the text around",
                {"client_name": "a\u202eb"},
                "client_name",
                "readable",
            ),
            ("a name over lines", {"client_name": "a\nb"}, "client_name", "control characters"),
            ("a name without end", {"client_name": "a" * 201}, "client_name", "1 to 200"),
            ("a name in no language", {"client_name#": "x"}, "client_name#", "language tag"),
            ("a broken name in a language", {"client_name#ja": ""}, "client_name#ja", "1 to 200"),
            ("yes for true", {"require_auth_time": "true"}, "require_auth_time", "quotation marks"),
            ("one for true", {"require_pkce": 1}, "require_pkce", "true or false"),
            ("an age as text", {"default_max_age": "60"}, "default_max_age", "quotation marks"),
            ("an age as a flag", {"default_max_age": True}, "default_max_age", "whole number"),
            ("an age with a fraction", {"max_auth_age": 1.5}, "max_auth_age", "whole number"),
            ("an age below zero", {"max_auth_age": -1}, "max_auth_age", "between 0 and"),
            ("an age beyond the calendar", {"max_auth_age": 10**12}, "max_auth_age", "between 0"),
            ("scopes as a list", {"scope": ["openid"]}, "scope", "separated by spaces"),
            ("a scope that is none", {"scope": "openid ä"}, "scope", "character"),
            ("an unknown format", {"access_token_format": "xml"}, "access_token_format", "jwt"),
            ("an unknown consent", {"consent": "maybe"}, "consent", "remember"),
            ("a statement", {"software_statement": "a.b.c"}, "software_statement", "leave it out"),
            (
                "a front-channel address elsewhere",
                {"frontchannel_logout_uri": "https://other.example/out"},
                "frontchannel_logout_uri",
                "one of the redirect_uris",
            ),
            (
                "a back-channel address with a fragment",
                {"backchannel_logout_uri": "https://app.example/out#x"},
                "backchannel_logout_uri",
                "# part",
            ),
            (
                "a way out over http",
                {"post_logout_redirect_uris": ["http://app.example/bye"]},
                "post_logout_redirect_uris",
                "item 1 must start with https://",
            ),
        ]
    ),
)
def test_is_refused_with_the_member_and_a_way_out(changes, member, words):
    found = problems({**BASE, **changes})
    assert [name for name, sentence in found if words in sentence] == [member]


def test_every_problem_is_told_at_once_and_none_because_of_another():
    found = problems(
        {
            "redirect_uris": "https://app.example/cb",
            "grant_types": ["magic"],
            "response_types": ["id_token"],
            "client_name": "",
            "default_max_age": "x",
        }
    )
    assert sorted(name for name, _ in found) == [
        *("client_name", "default_max_age", "grant_types", "redirect_uris"),
    ]


def test_only_redirect_addresses_have_a_code_of_their_own():
    with pytest.raises(InvalidClientMetadata) as address:
        parse_client_metadata({"redirect_uris": [f"{CALLBACK}#x"]})
    with pytest.raises(InvalidClientMetadata) as both:
        parse_client_metadata({"redirect_uris": [f"{CALLBACK}#x"], "client_name": ""})
    assert address.value.error == "invalid_redirect_uri"
    assert both.value.error == "invalid_client_metadata"
    assert not address.value.redirectable
    assert address.value.status == 400


@pytest.mark.parametrize("members", [None, [], "x", 7, {1: 2}])
def test_what_is_no_object_is_refused(members):
    assert problems(members) == (("registration", "must be a JSON object"),)


def test_unknown_members_are_named_and_dropped():
    metadata = parse_client_metadata({**BASE, "favourite_colour": "blue", "scope#de": "x"})
    assert metadata.unknown == ("favourite_colour", "scope#de")
    assert "favourite_colour" not in metadata.to_json()


def test_what_a_registrations_answer_added_is_neither_kept_nor_unknown():
    metadata = parse_client_metadata({**BASE, **dict.fromkeys(ISSUED_MEMBERS, "x")})
    assert metadata == parse_client_metadata(BASE)
    assert metadata.unknown == ()


def test_a_value_given_twice_counts_once():
    metadata = parse_client_metadata(
        {**BASE, "response_types": ["code id_token", "id_token code"],
         "grant_types": ["authorization_code", "implicit", "implicit"]}
    )  # fmt: skip
    assert metadata.response_types == ("code id_token",)
    assert metadata.grant_types == ("authorization_code", "implicit")


def test_a_public_client_always_needs_pkce():
    assert parse_client_metadata({**BASE, "token_endpoint_auth_method": "none"}).pkce_required
    assert not parse_client_metadata({**BASE, "require_pkce": False}).pkce_required


def test_a_development_address_is_fine_everywhere():
    local = "http://localhost:9000/x"
    metadata = parse_client_metadata(
        {
            "redirect_uris": [local],
            "initiate_login_uri": local,
            "backchannel_logout_uri": local,
            "frontchannel_logout_uri": local,
            "logo_uri": local,
        }
    )
    assert metadata.initiate_login_uri == local


class TestWhatThisProviderOffers:
    OFFER = Capabilities()

    @pytest.mark.parametrize(
        ("changes", "member", "words"),
        table(
            [
                (
                    "another response type",
                    {
                        "response_types": ["code", "id_token"],
                        "grant_types": ["authorization_code", "implicit"],
                    },
                    "response_types",
                    "stay within what this provider offers: code",
                ),
                (
                    "another grant",
                    {"grant_types": ["authorization_code", "refresh_token"]},
                    "grant_types",
                    "stay within",
                ),
                (
                    "another algorithm",
                    {"id_token_signed_response_alg": "PS256"},
                    "id_token_signed_response_alg",
                    "RS256, ES256, EdDSA",
                ),
                ("pairwise subjects", {"subject_type": "pairwise"}, "subject_type", "public"),
                (
                    "encryption",
                    {
                        "id_token_encrypted_response_alg": "ECDH-ES",
                        "jwks_uri": "https://app.example/jwks",
                    },
                    "id_token_encrypted_response_alg",
                    "does not offer it",
                ),
                (
                    "signed userinfo",
                    {"userinfo_signed_response_alg": "RS256"},
                    "userinfo_signed_response_alg",
                    "does not offer it",
                ),
            ]
        ),
    )
    def test_is_all_that_can_be_registered(self, changes, member, words):
        assert parse_client_metadata({**BASE, **changes})
        found = problems({**BASE, **changes}, self.OFFER)
        assert [name for name, sentence in found if words in sentence] == [member]

    @pytest.mark.parametrize(
        ("changes", "member", "words"),
        table(
            [
                (
                    "no method at all",
                    {"token_endpoint_auth_method": "magic"},
                    "token_endpoint_auth_method",
                    "must be one of: client_secret_basic, client_secret_post, none",
                ),
                (
                    "no grant at all",
                    {"grant_types": ["authorization_code", "magic"]},
                    "grant_types",
                    "item 2 must be one of: authorization_code",
                ),
                (
                    "no algorithm at all",
                    {"userinfo_signed_response_alg": "magic"},
                    "userinfo_signed_response_alg",
                    "must be left out: this provider does not offer it",
                ),
            ]
        ),
    )
    def test_is_all_that_is_named(self, changes, member, words):
        assert problems({**BASE, **changes}, self.OFFER) == ((member, words),)

    def test_is_enough_for_the_usual_client(self):
        assert parse_client_metadata(BASE, self.OFFER)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted([*MEMBER_NAMES, "client_name#ja", "client_id", "software_statement", "foo"])


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), JSON, max_size=12))
def test_any_json_is_read_or_refused_with_its_problems(members):
    read = attempt(lambda: parse_client_metadata(members, Capabilities()))
    if isinstance(read, OAuthError):
        assert isinstance(read, InvalidClientMetadata)
        assert read.problems
    else:
        assert parse_client_metadata(read.to_json()) == read


def members_of(full: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """Any selection of the members of a registration that holds together."""
    fixed = {name: full[name] for name in ("redirect_uris", "jwks", "sector_identifier_uri")}
    optional = {
        name: st.just(value)
        for name, value in full.items()
        if name not in fixed and name not in ("token_endpoint_auth_signing_alg", "grant_types")
    }
    grants = st.just({"grant_types": full["grant_types"]})
    chosen = st.fixed_dictionaries({}, optional=optional)
    return st.builds(lambda some, always: {**fixed, **always, **some}, chosen, grants)


@given(members_of({name: value for name, value in FULL.items() if not name.endswith("_enc")}))
def test_every_selection_of_members_makes_the_round_trip(members):
    metadata = parse_client_metadata(members)
    stored = json.loads(json.dumps(metadata.to_json()))
    assert parse_client_metadata(stored) == metadata
    assert {name: stored[name] for name in members} == members


def test_every_member_has_a_reader():
    assert all(callable(one.metadata["reader"]) for one in MEMBERS)
    assert isinstance(parse_client_metadata(BASE), ClientMetadata)
