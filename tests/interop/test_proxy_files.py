"""``deploy/proxies`` at work: nginx and Caddy, with TLS, before one node of two."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from idp.clock import system_clock
from idp.models import db
from tests.helpers.client_certificate import authority, certificate, nginx, public_jwk, rfc_9440
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.helpers.plain import PLAIN
from tests.helpers.ports import free_port
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import Server, serve
from tests.helpers.sign_in import sign_in
from tests.helpers.signing import jwks
from tests.helpers.user_agent import UserAgent
from tests.interop.proxy import HOST, KINDS, MTLS, Proxy, Through, proxy

ISSUER, ASKS = f"https://{HOST}", f"https://{MTLS}"
HEADER = "Client-Cert"
DOCS = Path(__file__).parents[2] / "docs/operations.md"


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh("sqlite") as made:
        yield made


@pytest.fixture(scope="module")
def node(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "IDP_ISSUER": ISSUER,
        "IDP_TRUSTED_PROXIES": "127.0.0.1",
        "IDP_CLIENT_CERTIFICATE_HEADER": HEADER,
        "IDP_MTLS_ORIGIN": ASKS,
        "IDP_METRICS_NETWORKS": "192.0.2.0/24",
    }
    with serve(url, tmp_path_factory.mktemp("node"), settings=settings) as (server,):
        yield server


@pytest.fixture(scope="module")
def house(url: str, node: Server) -> Iterator[House]:
    behind = {"trusted_proxies": ["127.0.0.1"], "client_certificate_header": HEADER}
    made = House(url, FakeClock(system_clock()), issuer=ISSUER, **behind)
    yield made
    with made.app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module", params=KINDS)
def door(
    request: pytest.FixtureRequest, node: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    nodes = (f"127.0.0.1:{free_port()}", f"127.0.0.1:{node.port}")
    with proxy(request.param, tmp_path_factory.mktemp(request.param), nodes) as running:
        yield running


def certified(house: House) -> RelyingParty:
    """A client that its certificate lets in."""
    members: dict[str, Any] = {
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "redirect_uris": ["https://shop.example/callback"],
        "jwks": jwks(public_jwk()),
    }
    return house.client(**members)


def introspect(
    door: Proxy,
    party: RelyingParty,
    shown: x509.Certificate | None = None,
    *,
    key: str = "one",
    origin: str = ASKS,
    headers: Mapping[str, str] | None = None,
) -> int:
    """The status of an answer to who only has to say who it is."""
    form = {"client_id": party.client_id, "token": "unknown"}
    with httpx.Client(transport=Through(door.place, shown, key=key)) as client:
        return client.post(f"{origin}/oauth/introspect", data=form, headers=headers).status_code


def test_somebody_signs_in(door: Proxy, house: House) -> None:
    house.clock.set(system_clock())
    person, party = house.person(f"{door.place.https}@example.com"), house.client()
    party.http = door.client
    with UserAgent(ISSUER, transport=Through(door.place)) as agent:
        left = sign_in(
            agent, party.authorization_url(), username=person.email, password=person.password
        )
    house.clock.set(system_clock())
    tokens = party.finish(left)
    assert party.userinfo(tokens.access_token)["sub"] == person.id


def test_a_registered_key_lets_in_and_nothing_else_does(door: Proxy, house: House) -> None:
    party = certified(house)
    assert introspect(door, party, certificate()) == 200
    assert introspect(door, party, certificate(key="two"), key="two") == 401
    assert introspect(door, party) == 401
    # At the issuer nobody is asked for one.
    assert introspect(door, party, certificate(), origin=ISSUER) == 401


@pytest.mark.parametrize("origin", [ISSUER, ASKS])
@pytest.mark.parametrize("name", ["Client-Cert", "Client_Cert", "client_cert"])
def test_a_header_from_outside_is_not_believed(
    door: Proxy, house: House, origin: str, name: str
) -> None:
    party = certified(house)
    for claimed in (rfc_9440(certificate()), nginx(certificate())):
        assert introspect(door, party, origin=origin, headers={name: claimed}) == 401


def test_it_would_be_past_the_proxy(node: Server, house: House) -> None:
    form = {"client_id": certified(house).client_id, "token": "unknown"}
    for name, claimed in (
        ("Client-Cert", rfc_9440(certificate())),
        ("Client_Cert", nginx(certificate())),
    ):
        told = httpx.post(
            f"{node.url}/oauth/introspect", data=form, headers={name: claimed}, verify=PLAIN
        )
        assert told.status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_only_an_authoritys_certificates_come_through_where_that_is_checked(
    kind: str, node: Server, house: House, tmp_path: Path
) -> None:
    """By then the key alone, which is a registered one, is not enough."""
    words = DOCS.read_text()
    assert all(one in words for one in ("`mode verify_if_given`", "`ssl_verify_client optional`"))
    authorities, party = tmp_path / "authorities.pem", certified(house)
    authorities.write_bytes(authority("CN=authority").public_bytes(Encoding.PEM))
    nodes = [f"127.0.0.1:{node.port}"]
    with proxy(kind, tmp_path, nodes, authorities) as checking:
        assert introspect(checking, party, certificate(issuer="CN=authority")) == 200
        assert introspect(checking, party) == 401
        for made in (certificate(), certificate(issuer="CN=impostor")):
            assert is_stopped(checking, party, made)


def is_stopped(door: Proxy, party: RelyingParty, shown: x509.Certificate) -> bool:
    """Caddy ends the connection; nginx answers by itself."""
    try:
        return introspect(door, party, shown) == 400
    except httpx.TransportError:
        return True


def test_what_is_not_for_outside_does_not_get_there(door: Proxy) -> None:
    for address in ("/metrics", f"{ASKS}/metrics", f"{ASKS}/admin", f"{ASKS}/login/"):
        assert door.client.get(address).status_code == 404
    assert door.client.get("/admin").status_code != 404


def test_plain_http_is_sent_to_tls(door: Proxy) -> None:
    told = door.client.get(f"http://{HOST}/login/?x=1")
    assert (told.status_code, told.headers["Location"]) == (308, f"{ISSUER}/login/?x=1")


def test_every_request_finds_the_node_that_lives(door: Proxy) -> None:
    assert {door.client.get("/readyz").status_code for _ in range(12)} == {200}


def test_what_is_too_large_is_told_so(door: Proxy) -> None:
    """And not that the node is broken, for it answers while the proxy still sends."""
    too_much = {"picture": "x" * 2_000_000}
    told = {door.client.post("/oauth/token", data=too_much).status_code for _ in range(12)}
    assert told == {413}


@pytest.mark.parametrize("kind", KINDS)
def test_links_are_in_no_log_whatever_goes_wrong(kind: str, tmp_path: Path) -> None:
    """They sign in. An error is when servers write down the whole request."""
    with proxy(kind, tmp_path, [f"127.0.0.1:{free_port()}"]) as closed:
        for origin in (ISSUER, ASKS):
            link = f"{origin}/oauth/secret-link?secret-link=1"
            told = closed.client.get(link, headers={"Referer": link})
            assert told.status_code in (502, 503)
        said = closed.said()
    assert str(told.status_code) in said
    assert "secret-link" not in said
