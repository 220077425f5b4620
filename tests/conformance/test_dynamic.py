"""The Dynamic profile: clients that register themselves, and are held to what they registered."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import Key, RSAKey

from tests.conformance.conftest import SignIn
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.helpers.little_server import Behave, little_server, saying
from tests.helpers.relying_party import (
    AuthorizationFailed,
    RelyingParty,
    TokenRefused,
    asserting,
)
from tests.helpers.signed_requests import signed
from tests.helpers.signing import jwks, key_of, public
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.oidc.registering import Counter, counter

CALLBACK = "https://suite.example/test/a/callback"
UNPROTECTED = {"code_challenge": None, "code_challenge_method": None}
"""As the suite sends its requests."""


@pytest.fixture(scope="module")
def suite(databases: Databases) -> Iterator[Counter]:
    """Its clients register themselves, and know nothing of PKCE."""
    with databases.fresh("sqlite") as url, counter(url, client_registration_pkce=False) as made:
        yield made


@pytest.fixture(scope="module")
def op(suite: Counter) -> House:
    return suite.house


def client(suite: Counter, **members: Any) -> RelyingParty:
    return suite.party(suite.registered(**{"redirect_uris": [CALLBACK], **members}))


def stays(agent: UserAgent, url: str) -> None:
    """An error page of the provider's own, at the authorization endpoint; nobody is sent on."""
    place = agent.get(url)
    assert isinstance(place, Page)
    assert place.status == 400
    assert place.document.headings[0] == "The application sent a request we can’t accept"


def test_server_with_a_client_that_registered_itself(suite: Counter, log_in: SignIn) -> None:
    app = client(suite, grant_types=["authorization_code", "refresh_token"])
    tokens = app.finish(log_in(app, **UNPROTECTED))
    assert app.userinfo(tokens.access_token)["sub"] == tokens.claims["sub"]


def test_registration_endpoint_is_advertised_and_cleans_up(suite: Counter) -> None:
    issuer = suite.house.settings.issuer
    found = suite.http.get("/.well-known/openid-configuration").json()
    assert found["registration_endpoint"] == f"{issuer}/oauth/register"
    made = suite.registered()
    assert made["client_secret_expires_at"] == 0
    assert made["registration_client_uri"]
    assert made["registration_access_token"]
    assert suite.ask("GET", made).status_code == 200
    assert suite.ask("DELETE", made).status_code == 204
    assert suite.ask("GET", made).status_code == 401


def test_redirect_uri_missing_with_two_registered(suite: Counter, agent: UserAgent) -> None:
    app = client(suite, redirect_uris=[CALLBACK, f"{CALLBACK}2"])
    stays(agent, app.authorization_url(redirect_uri=None))


QUERIES = {
    "query mismatch": (f"{CALLBACK}?foo=bar", f"{CALLBACK}?foo=baz"),
    "query added": (CALLBACK, f"{CALLBACK}?foo=bar"),
    "query left out": (f"{CALLBACK}?foo=bar", CALLBACK),
    "path appended": (CALLBACK, f"{CALLBACK}/more"),
}


@pytest.mark.parametrize(("registered", "sent"), QUERIES.values(), ids=QUERIES)
def test_redirect_uri_that_is_not_registered(
    suite: Counter, agent: UserAgent, registered: str, sent: str
) -> None:
    app = client(suite, redirect_uris=[registered])
    stays(agent, app.authorization_url(redirect_uri=sent))


def test_redirect_uri_query_ok(suite: Counter, log_in: SignIn) -> None:
    app = client(suite, redirect_uris=[f"{CALLBACK}?foo=bar"])
    callback = log_in(app, **UNPROTECTED)
    assert parse_qs(urlsplit(callback.url).query)["foo"] == ["bar"]
    assert app.finish(callback).claims["sub"]


def test_redirect_uri_regfrag(suite: Counter) -> None:
    told = suite.refused(redirect_uris=[f"{CALLBACK}#foobar"])
    assert told["error"] in {"invalid_redirect_uri", "invalid_client_metadata"}


PAGES = {
    "registration_logo_uri": ("logo_uri", "https://suite.example/logo.png"),
    "registration_policy_uri": ("policy_uri", "https://suite.example/policy"),
    "registration_tos_uri": ("tos_uri", "https://suite.example/tos"),
}


@pytest.mark.parametrize(("member", "address"), PAGES.values(), ids=PAGES)
def test_shown_on_the_login_page(
    suite: Counter, agent: UserAgent, member: str, address: str
) -> None:
    app = client(suite, **{member: address})
    assert f'"{address}"' in agent.page(app.authorization_url(**UNPROTECTED)).response.text
    other = client(suite)
    assert address not in agent.page(other.authorization_url(**UNPROTECTED)).response.text


def test_registration_sector_uri(suite: Counter) -> None:
    with little_server(saying(f'["{CALLBACK}"]'.encode())) as there:
        made = suite.registered(
            redirect_uris=[CALLBACK], sector_identifier_uri=there.url("/sector")
        )
    assert made["sector_identifier_uri"] == there.url("/sector")


def test_registration_sector_bad(suite: Counter) -> None:
    with little_server(saying(b'["https://suite.example/elsewhere"]')) as there:
        told = suite.refused(redirect_uris=[CALLBACK], sector_identifier_uri=there.url("/sector"))
    assert told["error"] == "invalid_client_metadata"


def test_registration_jwks_uri_is_not_fetched(suite: Counter) -> None:
    with little_server() as there:
        assert suite.registered(jwks_uri=there.url("/jwks"))["jwks_uri"] == there.url("/jwks")
    assert there.requests == []


# --- what the application publishes -----------------------------------------------------------


def keys_of(*kids: str, algorithm: str = "RS256") -> Behave:
    """The application's key set, as it answers with it."""
    keys = [public(key_of(algorithm, kid), kid=kid) for kid in kids]
    return saying(json.dumps(jwks(*keys)).encode())


@pytest.mark.parametrize("for_what", ["assertions", "request objects"])
def test_rp_key_rotation(suite: Counter, log_in: SignIn, for_what: str) -> None:
    """Signed by a key that was published only after the last look at ``jwks_uri``."""
    with little_server(keys_of("old")) as there:
        members = {
            "assertions": {"token_endpoint_auth_method": "private_key_jwt"},
            "request objects": {"request_object_signing_alg": "RS256"},
        }[for_what]
        app = client(suite, jwks_uri=there.url("/jwks"), **members)
        for kid in ("old", "new"):
            there.answer = keys_of(kid)
            suite.house.clock.advance(seconds=60)
            assert app.finish(log_in_signing(app, log_in, kid)).claims["sub"]
        assert len(there.requests) == 2
        with pytest.raises((TokenRefused, AuthorizationFailed)):
            app.finish(log_in_signing(app, log_in, "nobody's"))


def log_in_signing(app: RelyingParty, log_in: SignIn, kid: str) -> Departure:
    """With the request in an object where that is registered, and assertions to come by ``kid``."""
    if app.authentication == "private_key_jwt":
        app.signing_key, app.assertion_algorithm = named(kid), "RS256"
        return log_in(app, **UNPROTECTED)
    asked = {**app.authorization_parameters(**UNPROTECTED), "iss": app.client_id}
    inside = signed({**asked, "aud": app.issuer}, "RS256", key=named(kid))
    return log_in(app, request=inside, **UNPROTECTED, state=asked["state"], nonce=asked["nonce"])


def named(kid: str) -> Key:
    """That key, which signs under its ``kid``."""
    made: Key = RSAKey.import_key({**key_of("RS256", kid).as_dict(private=True), "kid": kid})
    return made


def test_request_uri_signed_rs256(suite: Counter, log_in: SignIn) -> None:
    """Registered with a ``#fragment``, and fetched without it (OIDC Core 6.2)."""
    with little_server(keys_of("old")) as keys, little_server() as there:
        where = there.url("/object.jwt") + "#hash-of-it"
        app = client(
            suite,
            jwks_uri=keys.url("/jwks"),
            request_uris=[where],
            request_object_signing_alg="RS256",
        )
        assert app.metadata["request_uri_parameter_supported"] is True
        assert "RS256" in app.metadata["request_object_signing_alg_values_supported"]
        asked = app.authorization_parameters(**UNPROTECTED)
        inside = {**asked, "iss": app.client_id, "aud": app.issuer}
        text = signed(inside, "RS256", key=named("old")).encode()
        there.answer = saying(text, kind="application/oauth-authz-req+jwt")
        departure = log_in(
            app, request_uri=where, **UNPROTECTED, state=asked["state"], nonce=asked["nonce"]
        )
        assert app.finish(departure).claims["nonce"] == asked["nonce"]
    (request,) = there.requests
    assert request.startswith(b"GET /object.jwt HTTP")


@pytest.mark.parametrize("audience", ["token endpoint", "issuer", "both"])
def test_client_assertion_audience(suite: Counter, log_in: SignIn, audience: str) -> None:
    """The suite says the token endpoint, its iss-aud module the issuer."""
    issuer = suite.house.settings.issuer
    token_endpoint = f"{issuer}/oauth/token"
    aud = {
        "token endpoint": token_endpoint,
        "issuer": issuer,
        "both": [issuer, token_endpoint],
    }[audience]
    with little_server(keys_of("old")) as there:
        app = client(
            suite, jwks_uri=there.url("/jwks"), token_endpoint_auth_method="private_key_jwt"
        )
        app.signing_key, app.assertion_algorithm = named("old"), "RS256"
        code, pending = app.authorization_code(log_in(app, **UNPROTECTED))
        form = {"grant_type": "authorization_code", "code": code}
        form["redirect_uri"] = pending.redirect_uri
        elsewhere = asserting(app.assertion(aud="https://other.example"))
        refused = app.http.post("/oauth/token", data={**form, **elsewhere})
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        answer = app.http.post("/oauth/token", data={**form, **asserting(app.assertion(aud=aud))})
        assert answer.status_code == 200
