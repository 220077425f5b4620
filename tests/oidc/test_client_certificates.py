"""Clients that show a certificate to the proxy in front of us, and whose word about it counts."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.fernet import Fernet

from idp.config import ConfigurationError, load_settings
from idp.models import Client, db
from tests.helpers.client_certificate import (
    FORMATS,
    base64_der,
    certificate,
    public_jwk,
    rfc_9440,
)
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.servers import TEST_KEY
from tests.helpers.signing import jwks
from tests.oidc.desk import Desk, Keys

ISSUER = "https://id.example.com"
NUMBERS = count(1)
BEHIND = {
    "trusted_proxies": ["10.0.0.0/8"],
    "client_certificate_header": "Client-Cert",
    "client_certificate_verified": True,
    "mtls_origin": "https://mtls.id.example.com/",
}
PROXY, STRANGER = "10.0.0.1", "192.0.2.1"


def desk_with(databases: Databases, made_keys: Keys, **settings: Any) -> Iterator[Desk]:
    with databases.fresh("sqlite") as url:
        keys = [Fernet.generate_key().decode()]
        loaded = load_settings(environ={}, issuer=ISSUER, keys=keys, database_url=url, **settings)
        desk = Desk(loaded, FakeClock(), made_keys)
        yield desk
        with desk.app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="module")
def desk(databases: Databases, made_keys: Keys) -> Iterator[Desk]:
    """Behind a proxy that checks certificates, for all tests of this module."""
    yield from desk_with(databases, made_keys, **BEHIND)


@pytest.fixture(scope="module")
def lenient(databases: Databases, made_keys: Keys) -> Iterator[Desk]:
    """Behind one that asks for certificates and lets any pass."""
    settings = {**BEHIND, "client_certificate_verified": False}
    yield from desk_with(databases, made_keys, **settings)


def certified(desk: Desk, **members: Any) -> str:
    """The id of a client that goes by the name in its certificate."""
    client_id = f"certified-{next(NUMBERS)}"
    members = members or {"tls_client_auth_subject_dn": "CN=shop"}
    desk.client(client_id, token_endpoint_auth_method="tls_client_auth", **members)
    return client_id


def self_signed(desk: Desk, *keys: dict[str, Any]) -> str:
    """The id of a client that goes by its registered keys."""
    client_id = f"self-signed-{next(NUMBERS)}"
    method = "self_signed_tls_client_auth"
    desk.client(client_id, token_endpoint_auth_method=method, jwks=jwks(*keys))
    return client_id


def introspect(
    desk: Desk, client_id: str, header: str | None, *, peer: str = PROXY, name: str = "Client-Cert"
) -> httpx.Response:
    transport = httpx.WSGITransport(desk.app, remote_addr=peer)
    headers = {} if header is None else {name: header}
    with httpx.Client(transport=transport, base_url=ISSUER) as http:
        form = {"token": "x", "client_id": client_id}
        return http.post("/oauth/introspect", data=form, headers=headers)


def assert_refused(desk: Desk, response: httpx.Response, reason: str) -> None:
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert desk.events("client.authentication.refused")[-1].data["reason"] == reason


SHOP, RIVAL = certificate("CN=shop"), certificate("CN=rival", key="two")


@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
def test_a_name_in_a_certificate_lets_its_client_in(
    desk: Desk, written: Callable[[x509.Certificate], str]
):
    client_id = certified(desk)
    assert introspect(desk, client_id, written(SHOP)).json() == {"active": False}
    refused = introspect(desk, client_id, written(RIVAL))
    assert_refused(desk, refused, "certificate of another name")


def test_a_registered_key_lets_its_client_in_whatever_the_name(lenient: Desk):
    client_id = self_signed(lenient, public_jwk("two"), public_jwk())
    for made in (SHOP, RIVAL):
        assert introspect(lenient, client_id, rfc_9440(made)).status_code == 200
    other = introspect(lenient, client_id, rfc_9440(certificate("CN=shop", key="three")))
    assert_refused(lenient, other, "certificate of another key")


def test_a_registered_certificate_is_that_one(lenient: Desk):
    client_id = self_signed(lenient, {**public_jwk(), "x5c": [base64_der(SHOP)]})
    assert introspect(lenient, client_id, rfc_9440(SHOP)).status_code == 200
    renewed = introspect(lenient, client_id, rfc_9440(certificate("CN=shop")))
    assert_refused(lenient, renewed, "certificate of another key")


@pytest.mark.parametrize("peer", [STRANGER, "", "127.0.0.1", "::1"], ids=repr)
def test_only_a_trusted_proxys_word_counts(desk: Desk, peer: str):
    client_id = certified(desk)
    refused = introspect(desk, client_id, rfc_9440(SHOP), peer=peer)
    assert_refused(desk, refused, "no certificate")
    assert introspect(desk, client_id, rfc_9440(SHOP)).status_code == 200


def test_a_stranger_behind_the_proxy_is_not_the_proxy(desk: Desk):
    """X-Forwarded-For changes who the client is, and not who said so."""
    transport = httpx.WSGITransport(desk.app, remote_addr=STRANGER)
    headers = {"Client-Cert": rfc_9440(SHOP), "X-Forwarded-For": PROXY}
    with httpx.Client(transport=transport, base_url=ISSUER) as http:
        form = {"token": "x", "client_id": certified(desk)}
        assert http.post("/oauth/introspect", data=form, headers=headers).status_code == 401


@pytest.mark.parametrize("header", [None, "", ":AAAA:", "(null)"], ids=repr)
def test_without_a_certificate_nobody_is_let_in(desk: Desk, header: str | None):
    assert_refused(desk, introspect(desk, certified(desk), header), "no certificate")


def test_another_header_is_not_looked_at(desk: Desk):
    for name in ("X-Client-Cert", "SSL_CLIENT_CERT"):
        refused = introspect(desk, certified(desk), rfc_9440(SHOP), name=name)
        assert_refused(desk, refused, "no certificate")


def test_a_certificate_is_no_second_way(desk: Desk):
    """RFC 8705 section 3: tokens may be bound to it however the client authenticates."""
    party = desk.client(f"secret-{next(NUMBERS)}", token_endpoint_auth_method="client_secret_post")
    transport = httpx.WSGITransport(desk.app, remote_addr=PROXY)
    with httpx.Client(transport=transport, base_url=ISSUER) as http:
        form = {"token": "x", "client_id": party.client_id, "client_secret": party.client_secret}
        answer = http.post("/oauth/introspect", data=form, headers={"Client-Cert": rfc_9440(SHOP)})
    assert answer.status_code == 200


def test_it_is_no_substitute_for_the_registered_method(desk: Desk):
    party = desk.client(f"secret-{next(NUMBERS)}")
    assert_refused(desk, introspect(desk, party.client_id, rfc_9440(SHOP)), "method")


def methods(desk: Desk) -> set[str]:
    document = desk.http.get("/.well-known/openid-configuration").json()
    return {name for name in document["token_endpoint_auth_methods_supported"] if "tls" in name}


def test_what_is_offered_is_what_the_proxy_can_vouch_for(desk: Desk, lenient: Desk):
    assert methods(desk) == {"tls_client_auth", "self_signed_tls_client_auth"}
    assert methods(lenient) == {"self_signed_tls_client_auth"}
    with pytest.raises(Exception, match="token_endpoint_auth_method must stay within"):
        certified(lenient)


def test_a_method_that_is_not_offered_any_more_lets_nobody_in(lenient: Desk):
    """Whoever turns the check off in the proxy must not leave the door open."""
    client_id = self_signed(lenient, public_jwk())
    before = {
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "CN=shop",
        "redirect_uris": ["https://shop.example.com/"],
    }
    assert introspect(lenient, client_id, rfc_9440(SHOP)).status_code == 200
    with lenient.rows():
        row = db.session.get_one(Client, client_id)
        row.registration, row.revision = before, row.revision + 1
    refused = introspect(lenient, client_id, rfc_9440(SHOP))
    assert_refused(lenient, refused, "method that is not offered any more")


def test_discovery_names_the_other_origin(desk: Desk):
    document = desk.http.get("/.well-known/openid-configuration").json()
    aliases = document["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == "https://mtls.id.example.com/oauth/token"
    assert aliases["introspection_endpoint"] == "https://mtls.id.example.com/oauth/introspect"
    assert not {"authorization_endpoint", "jwks_uri"} & aliases.keys()
    for name, url in aliases.items():
        assert url.removeprefix("https://mtls.") == document[name].removeprefix("https://")


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"tls_client_auth_subject_dn": "the shop"}, "tls_client_auth_subject_dn"),
        ({"tls_client_auth_san_ip": "shop"}, "tls_client_auth_san_ip"),
    ],
)
def test_a_name_that_no_certificate_can_bear_is_refused(
    desk: Desk, members: dict[str, str], member: str
):
    with pytest.raises(Exception, match=f"{member} must be"):
        certified(desk, **members)


WRONG = {
    "nobody to trust": ({"client_certificate_header": "Client-Cert"}, "needs trusted_proxies"),
    "verified what": ({"client_certificate_verified": True}, "needs client_certificate_header"),
    "an origin for nothing": (
        {"mtls_origin": "https://mtls.example.com"},
        "needs client_certificate_header",
    ),
    "no header": ({**BEHIND, "client_certificate_header": "Client Cert"}, "name of a header"),
    "no origin": ({**BEHIND, "mtls_origin": "https://id.example.com/mtls"}, "must be an origin"),
    "no TLS": ({**BEHIND, "mtls_origin": "http://id.example.com"}, "must be an origin"),
}


@pytest.mark.parametrize(("settings", "why"), WRONG.values(), ids=WRONG)
def test_settings_that_cannot_be_meant(settings: dict[str, Any], why: str):
    with pytest.raises(ConfigurationError, match=why):
        load_settings(environ={}, issuer=ISSUER, keys=TEST_KEY, **settings)
