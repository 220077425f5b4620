"""The Config profile: discovery and the key set say what is there, and what is there is said."""

from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import KeySet

from idp.protocol.claims import PERSONAL_CLAIMS
from idp.protocol.discovery import REGISTERED_NAMES
from tests.helpers.databases import Databases
from tests.helpers.house import House, made_once
from tests.oidc.registering import CALLBACK, Counter, counter

DISCOVERY = "/.well-known/openid-configuration"
CERTIFIED = {"tls_client_auth": {"tls_client_auth_san_dns": "app.example"}}
SIGNING = ("private_key_jwt", "self_signed_tls_client_auth")


@pytest.fixture(scope="module")
def suite(databases: Databases) -> Iterator[Counter]:
    with databases.fresh("sqlite") as url, counter(url) as made:
        yield made


@pytest.fixture(scope="module")
def op(suite: Counter) -> House:
    return suite.house


@pytest.fixture(scope="module")
def metadata(suite: Counter) -> dict[str, Any]:
    answer = suite.http.get(DISCOVERY)
    assert answer.headers["Content-Type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def test_discovery_issuer(suite: Counter, metadata: dict[str, Any]) -> None:
    assert metadata["issuer"] == suite.house.settings.issuer


def test_discovery_has_only_registered_names(metadata: dict[str, Any]) -> None:
    assert set(metadata) <= REGISTERED_NAMES
    assert [] not in metadata.values()


def test_discovery_is_complete(metadata: dict[str, Any]) -> None:
    assert {"openid", "profile", "email", "address", "phone", "offline_access"} <= set(
        metadata["scopes_supported"]
    )
    assert set(PERSONAL_CLAIMS) <= set(metadata["claims_supported"])
    assert {"sub", "iss", "auth_time", "acr", "amr"} <= set(metadata["claims_supported"])
    assert "RS256" in metadata["id_token_signing_alg_values_supported"]
    assert {"code", "id_token", "id_token token"} <= set(metadata["response_types_supported"])
    assert {"authorization_code", "implicit"} <= set(metadata["grant_types_supported"])
    assert metadata["subject_types_supported"]
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        assert metadata[name].startswith(metadata["issuer"])


def test_idtoken_unsigned_is_skipped(suite: Counter, metadata: dict[str, Any]) -> None:
    """The suite asks for one only where it is advertised; here nobody can have it."""
    for name in ("id_token", "userinfo", "authorization"):
        assert "none" not in metadata[f"{name}_signing_alg_values_supported"]
    told = suite.refused(id_token_signed_response_alg="none")
    assert told["error"] == "invalid_client_metadata"


PROFILES: dict[str, dict[str, Any]] = {
    "form-post": {"response_modes_supported": {"query", "fragment", "form_post"}},
    "rp-initiated, session management": {
        "end_session_endpoint": "/oauth/logout",
        "check_session_iframe": "/oauth/check-session",
    },
    "back-channel and front-channel logout": {
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    },
    "dynamic": {
        "registration_endpoint": "/oauth/register",
        "subject_types_supported": {"public", "pairwise"},
        "userinfo_signing_alg_values_supported": {"RS256"},
        "request_object_signing_alg_values_supported": {"none", "RS256"},
        "grant_types_supported": {"authorization_code", "implicit", "refresh_token"},
    },
    "claims and hints": {
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "authorization_response_iss_parameter_supported": True,
        "claim_types_supported": {"normal"},
    },
}


@pytest.mark.parametrize("members", PROFILES.values(), ids=PROFILES)
def test_discovery_openid_config_of(metadata: dict[str, Any], members: dict[str, Any]) -> None:
    for name, wanted in members.items():
        if isinstance(wanted, set):
            assert wanted <= set(metadata[name]), name
        elif isinstance(wanted, str):
            assert metadata[name] == metadata["issuer"] + wanted
        else:
            assert metadata[name] is wanted, name


def test_discovery_endpoints_are_there(suite: Counter, metadata: dict[str, Any]) -> None:
    for name, address in metadata.items():
        if name.endswith("_endpoint"):
            assert suite.http.options(address).status_code == 200, name


def test_discovery_jwks(suite: Counter, metadata: dict[str, Any]) -> None:
    sent = suite.http.get(metadata["jwks_uri"]).json()
    keys = KeySet.import_key_set(sent)
    assert len({key.kid for key in keys.keys}) == len(sent["keys"])
    assert not any({"d", "k", "p", "q"} & set(key) for key in sent["keys"])
    assert {key["kty"] for key in sent["keys"]} <= {"RSA", "EC", "OKP"}


def companions(method: str) -> dict[str, Any]:
    """What a registration for this way to authenticate needs besides."""
    key = made_once("ES256").as_dict(private=False)
    return CERTIFIED.get(method, {"jwks": {"keys": [key]}} if method in SIGNING else {})


def test_whatever_is_advertised_can_be_registered(suite: Counter, metadata: dict[str, Any]) -> None:
    for response_type in metadata["response_types_supported"]:
        grants = ["authorization_code", "implicit"]
        suite.registered(response_types=[response_type], grant_types=grants)
    for method in metadata["token_endpoint_auth_methods_supported"]:
        made = suite.registered(token_endpoint_auth_method=method, **companions(method))
        assert made["token_endpoint_auth_method"] == method
    for alg in metadata["id_token_signing_alg_values_supported"]:
        suite.registered(id_token_signed_response_alg=alg)
    for grant in metadata["grant_types_supported"]:
        suite.registered(grant_types=[*{"authorization_code", grant}], token=suite.initial_token())
    suite.registered(scope=" ".join(metadata["scopes_supported"]), token=suite.initial_token())


def test_the_oauth_document_is_the_same(suite: Counter, metadata: dict[str, Any]) -> None:
    assert suite.http.get("/.well-known/oauth-authorization-server").json() == metadata


@pytest.mark.parametrize("path", [DISCOVERY, "/oauth/jwks"])
def test_documents_may_be_kept_and_answers_may_not(suite: Counter, path: str) -> None:
    first = suite.http.get(path)
    assert "max-age" in first.headers["Cache-Control"]
    again = suite.http.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for secret in (
        suite.post({"redirect_uris": [CALLBACK]}),
        suite.http.get("/oauth/userinfo"),
        suite.http.post("/oauth/token"),
        suite.http.post("/oauth/introspect"),
        suite.http.get("/oauth/authorize"),
        suite.http.get("/api/v1/me/passkeys"),
    ):
        assert secret.headers["Cache-Control"] == "no-store"
