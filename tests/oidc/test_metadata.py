"""Discovery and the key set: what they say, how long they may be kept, who may read them."""

import pytest

from idp.oidc.capabilities import capabilities_of
from idp.oidc.client_auth import METHODS
from idp.oidc.grants import GRANTS
from tests.helpers.clock import FakeClock
from tests.oidc.desk import Desk, header_of

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"
JWKS = "/oauth/jwks"


def test_both_places_have_the_same_document(desk: Desk):
    assert desk.http.get(OPENID).content == desk.http.get(OAUTH).content


def test_it_says_what_is_registered(desk: Desk):
    document = desk.http.get(OPENID).json()
    granted = [grant.GRANT_TYPE for grant in GRANTS]
    assert document["grant_types_supported"] == [*granted, "implicit"]
    assert document["token_endpoint_auth_methods_supported"] == list(METHODS)
    assert document["introspection_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "client_secret_post",
    ]
    assert document["id_token_signing_alg_values_supported"] == [
        "RS256",
        "ES256",
        "EdDSA",
        "PS256",
    ]
    assert document["acr_values_supported"] == [
        *("urn:idp:acr:1fa", "urn:idp:acr:mfa", "phr", "phrh"),
    ]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True


def test_every_endpoint_it_names_is_there_under_the_issuer(desk: Desk):
    document = desk.http.get(OPENID, headers={"Host": "evil.example"}).json()
    assert document["issuer"] == "https://id.example.com"
    endpoints = {
        name: url for name, url in document.items() if name.endswith(("_endpoint", "jwks_uri"))
    }
    assert len(endpoints) == 7
    for url in endpoints.values():
        assert url.startswith("https://id.example.com/oauth/")
        assert desk.http.get(url).status_code != 404


def test_a_client_can_register_what_it_advertises(desk: Desk):
    document = desk.http.get(OPENID).json()
    capabilities = capabilities_of(desk.settings)
    assert document["scopes_supported"] == list(capabilities.scopes)
    for number, algorithm in enumerate(document["id_token_signing_alg_values_supported"]):
        desk.client(f"c{number}", id_token_signed_response_alg=algorithm)
    for method in document["token_endpoint_auth_methods_supported"]:
        desk.client(f"by-{method}", token_endpoint_auth_method=method)


@pytest.mark.parametrize(
    ("path", "kept"), [(OPENID, "public, max-age=3600"), (JWKS, "public, max-age=300")]
)
def test_a_document_may_be_kept_and_is_revalidated(desk: Desk, path: str, kept: str):
    first = desk.http.get(path)
    assert first.headers["Cache-Control"] == kept
    assert first.headers["Content-Type"] == "application/json"
    again = desk.http.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    assert desk.http.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_key_set_has_public_keys_that_can_be_told_apart(desk: Desk):
    keys = desk.http.get(JWKS).json()["keys"]
    assert sorted(key["alg"] for key in keys) == ["ES256", "EdDSA", "PS256", "RS256"]
    assert len({key["kid"] for key in keys}) == 4
    assert {key["use"] for key in keys} == {"sig"}
    assert not any("d" in key for key in keys)


def test_a_key_is_published_before_it_signs_and_after(desk: Desk, clock: FakeClock):
    party = desk.client()
    old = desk.tokens(party)
    with desk.rows():
        desk.services.key_rotation.rotate(desk.context, algorithms=["RS256"])
    fetched_before = desk.http.get(JWKS).json()
    clock.advance(days=1)
    new = desk.tokens(party)
    kids = [key["kid"] for key in fetched_before["keys"]]
    assert header_of(new.id_token)["kid"] != header_of(old.id_token)["kid"]
    assert header_of(new.id_token)["kid"] in kids
    assert header_of(old.id_token)["kid"] in kids


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", OPENID), ("GET", OAUTH), ("GET", JWKS), ("GET", "/oauth/userinfo")),
        *(("POST", "/oauth/token"), ("POST", "/oauth/userinfo"), ("POST", "/oauth/revoke")),
        ("POST", "/oauth/par"),
    ],
)
def test_browser_clients_of_any_origin_may_call(desk: Desk, method: str, path: str):
    origin = {"Origin": "https://spa.example.com"}
    asked = {**origin, "Access-Control-Request-Method": method}
    preflight = desk.http.options(path, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    answer = desk.http.request(method, path, headers=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/authorize"])
def test_no_script_of_another_origin_reads_the_rest(desk: Desk, path: str):
    answer = desk.http.get(path, headers={"Origin": "https://spa.example.com"})
    assert "Access-Control-Allow-Origin" not in answer.headers
