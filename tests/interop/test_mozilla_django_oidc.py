"""mozilla-django-oidc: a Django project of its own, in a process of its own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.helpers.ports import free_port
from tests.helpers.servers import Server
from tests.interop.provider import Provider, Visitor

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=["RS256", "ES256"])
def site(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """The Django project, registered as a client that signs with each algorithm it knows."""
    port = free_port()
    client = provider.client(
        redirect_uris=[f"http://localhost:{port}/oidc/callback/"],
        id_token_signed_response_alg=request.param,
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RP_ISSUER": provider.issuer,
        "RP_ID": client.client_id,
        "RP_SECRET": client.client_secret or "",
        "RP_ALGORITHM": request.param,
    }
    server = Server(
        lambda port: [sys.executable, "-m", "tests.interop.django_site", str(port)],
        port,
        environment,
        tmp_path_factory.mktemp("django"),
    )
    server.start()
    yield server
    server.kill()


@pytest.fixture
def visitor(provider: Provider, site: Server) -> Iterator[Visitor]:
    browser = Visitor(provider, site.url)
    yield browser
    browser.close()


def test_sign_in_and_silent_renewal(visitor: Visitor, provider: Provider) -> None:
    told = visitor.visit("/claims").json()
    assert told["user"] == {"email": provider.person.email, "first_name": "Alice"}
    (verified,) = told["verified"]
    assert verified["sub"] == provider.person.id
    assert verified["acr"] == "urn:idp:acr:1fa"
    assert verified["amr"] == ["pwd"]
    assert abs(verified["auth_time"] - verified["iat"]) < 30

    # What is open only to a fresh ID token: the library fetches one without a page.
    response = visitor.http.get("/members")
    asked = visitor.sent_to_provider(response.headers["Location"])
    assert parse_qs(urlsplit(asked).query)["prompt"] == ["none"]
    answer = visitor.agent.client.get(asked)
    returned = visitor.http.get(answer.headers["Location"])
    assert returned.has_redirect_location
    again = visitor.http.get("/claims").json()["verified"]
    assert len(again) == 2
    kept = ("sub", "acr", "amr", "auth_time", "sid")
    assert [again[1][name] for name in kept] == [again[0][name] for name in kept]


def test_an_unknown_state_is_refused(visitor: Visitor) -> None:
    asked = visitor.depart("/oidc/authenticate/")
    callback = visitor.sign_in(asked).url
    state = parse_qs(urlsplit(asked).query)["state"][0]
    refused = visitor.http.get(callback.replace(state, "of-nobody"))
    assert refused.status_code == 400
    assert "/oidc/authenticate/" in visitor.http.get("/claims").headers["Location"]


def test_another_nonce_is_refused(visitor: Visitor) -> None:
    asked = visitor.depart("/oidc/authenticate/")
    nonce = parse_qs(urlsplit(asked).query)["nonce"][0]
    callback = visitor.sign_in(asked.replace(nonce, "of-nobody")).url
    refused = visitor.http.get(callback)
    assert refused.status_code == 400
    assert "/oidc/authenticate/" in visitor.http.get("/claims").headers["Location"]


def test_a_refusal_leads_to_the_failure_page(visitor: Visitor) -> None:
    asked = visitor.depart("/oidc/authenticate/")
    page = visitor.agent.page(asked)
    callback = visitor.agent.submit(page, page.form("/cancel"))
    assert visitor.visit(callback.url).text == "failed"
