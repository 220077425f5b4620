"""The Dynamic profile: clients that register themselves, and are held to what they registered."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conformance.conftest import SignIn
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.helpers.little_server import little_server, saying
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
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
