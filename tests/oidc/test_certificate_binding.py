"""Access tokens bound to the certificate that the client showed in TLS (RFC 8705 section 3)."""

import hashlib
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.fernet import Fernet

from idp.config import load_settings
from idp.models import db
from idp.protocol.registration import InvalidClientMetadata
from tests.helpers import base64url
from tests.helpers.client_certificate import certificate, der, public_jwk, rfc_9440
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.dpop import Prover
from tests.helpers.relying_party import RelyingParty
from tests.helpers.signing import jwks
from tests.oidc.desk import Desk, Keys, code_form, payload_of
from tests.services.people import CALLBACK

ISSUER = "https://id.example.com"
MTLS = "https://mtls.id.example.com"
PROXY, STRANGER = "10.0.0.1", "192.0.2.1"
NUMBERS = count(1)
OFFLINE = ("openid", "offline_access")
USERINFO, SESSIONS = "/oauth/userinfo", "/api/v1/me/sessions"


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
    yield from desk_with(
        databases,
        made_keys,
        trusted_proxies=["10.0.0.0/8"],
        client_certificate_header="Client-Cert",
        mtls_origin=MTLS,
    )


@pytest.fixture(scope="module")
def plain(databases: Databases, made_keys: Keys) -> Iterator[Desk]:
    """Where no proxy passes certificates on."""
    yield from desk_with(databases, made_keys)


@pytest.fixture(scope="module")
def shown() -> x509.Certificate:
    return certificate()


@pytest.fixture(scope="module")
def other() -> x509.Certificate:
    """Of the same client, over the same key: and another certificate all the same."""
    return certificate()


def thumbprint(made: x509.Certificate) -> str:
    return base64url.encode(hashlib.sha256(der(made)).digest())


def client(desk: Desk, **members: Any) -> str:
    client_id = f"client-{next(NUMBERS)}"
    usual = {
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": jwks(public_jwk()),
        "tls_client_certificate_bound_access_tokens": True,
        "scope": "openid account offline_access",
    }
    desk.client(client_id, **{**usual, **members})
    return client_id


class Caller:
    """A connection on which a certificate was shown, or not."""

    def __init__(
        self, desk: Desk, made: x509.Certificate | None, client_id: str = "", peer: str = PROXY
    ) -> None:
        self._desk = desk
        self._client_id = client_id
        self._headers = {"Client-Cert": rfc_9440(made)} if made else {}
        transport = httpx.WSGITransport(desk.app, remote_addr=peer)
        self.http = httpx.Client(transport=transport, base_url=ISSUER)

    def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        sent = {**form, "client_id": self._client_id}
        return self.http.post(path, data=sent, headers={**self._headers, **headers})

    def get(self, path: str, token: str, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {token}", **self._headers, **headers}
        return self.http.get(path, headers=sent)

    def redeem(self, **code: Any) -> httpx.Response:
        return self.post("/oauth/token", code_form(self.code(**code)))

    def code(self, **code: Any) -> str:
        return code_for(self._desk, self._client_id, **code)


def code_for(desk: Desk, client_id: str, **code: Any) -> str:
    return desk.code(RelyingParty(ISSUER, client_id, CALLBACK), **code)


def error_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_the_token_is_bound_and_says_to_what(
    desk: Desk, shown: x509.Certificate, access_token_format: str
):
    client_id = client(desk, access_token_format=access_token_format)
    caller = Caller(desk, shown, client_id)
    answer = caller.redeem().json()
    assert answer["token_type"] == "Bearer"  # RFC 8705 section 3: only who may use it changes
    cnf = {"x5t#S256": thumbprint(shown)}
    if access_token_format == "jwt":
        assert payload_of(answer["access_token"])["cnf"] == cnf
    told = caller.post("/oauth/introspect", {"token": answer["access_token"]}).json()
    assert (told["active"], told["cnf"]) == (True, cnf)
    assert caller.get(USERINFO, answer["access_token"]).json() == {"sub": "ann"}


@pytest.mark.parametrize("path", [USERINFO, SESSIONS])
def test_it_is_for_that_certificate_alone(
    desk: Desk, shown: x509.Certificate, other: x509.Certificate, path: str
):
    client_id = client(desk)
    token = Caller(desk, shown, client_id).redeem(scope=("openid", "account")).json()
    token = token["access_token"]
    assert Caller(desk, shown).get(path, token).status_code == 200
    without = f"The access token is bound to a certificate: show it in TLS at {MTLS}."
    another = "The access token is bound to another certificate."
    for caller, reason, description in (
        (Caller(desk, None), "without its certificate", without),
        (Caller(desk, other), "of another certificate", another),
        (Caller(desk, shown, peer=STRANGER), "without its certificate", without),
    ):
        refused = caller.get(path, token)
        assert error_of(refused) == (401, "invalid_token")
        assert f'error_description="{description}"' in refused.headers["WWW-Authenticate"]
        assert desk.events("token.refused")[-1].data["reason"] == reason


def test_a_bound_client_without_a_certificate_gets_nothing(desk: Desk, shown: x509.Certificate):
    client_id = client(desk, token_endpoint_auth_method="none", jwks=None)
    code = code_for(desk, client_id)
    refused = Caller(desk, None, client_id).post("/oauth/token", code_form(code))
    assert error_of(refused) == (400, "invalid_request")
    assert Caller(desk, shown, client_id).post("/oauth/token", code_form(code)).is_success


def test_a_public_clients_refresh_token_is_bound_too(
    desk: Desk, shown: x509.Certificate, other: x509.Certificate
):
    """RFC 8705 section 4."""
    client_id = client(desk, token_endpoint_auth_method="none", jwks=None)
    token = Caller(desk, shown, client_id).redeem(scope=OFFLINE).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    assert error_of(Caller(desk, other, client_id).post("/oauth/token", form)) == (
        400,
        "invalid_grant",
    )
    assert Caller(desk, shown, client_id).post("/oauth/token", form).is_success


def test_one_that_authenticates_may_renew_its_certificate(
    desk: Desk, shown: x509.Certificate, other: x509.Certificate
):
    client_id = client(desk)
    token = Caller(desk, shown, client_id).redeem(scope=OFFLINE).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    answer = Caller(desk, other, client_id).post("/oauth/token", form).json()
    assert payload_of(answer["access_token"])["cnf"] == {"x5t#S256": thumbprint(other)}


def test_who_did_not_register_it_is_not_bound(desk: Desk, shown: x509.Certificate):
    client_id = client(desk, tls_client_certificate_bound_access_tokens=False)
    token = Caller(desk, shown, client_id).redeem().json()["access_token"]
    assert "cnf" not in payload_of(token)
    assert Caller(desk, None).get(USERINFO, token).status_code == 200


def test_a_key_and_a_certificate_together(
    desk: Desk, shown: x509.Certificate, other: x509.Certificate
):
    client_id = client(desk, dpop_bound_access_tokens=True)
    prover = Prover(MTLS, desk.clock)
    caller = Caller(desk, shown, client_id)
    form = code_form(caller.code())
    assert error_of(caller.post("/oauth/token", form)) == (400, "invalid_dpop_proof")
    answer = caller.post("/oauth/token", form, DPoP=prover.proof("POST", "/oauth/token")).json()
    token = answer["access_token"]
    assert payload_of(token)["cnf"] == {"jkt": prover.jkt, "x5t#S256": thumbprint(shown)}
    for made, status in ((shown, 200), (other, 401), (None, 401)):
        headers = prover.headers(token, "GET", USERINFO)
        assert Caller(desk, made).get(USERINFO, token, **headers).status_code == status
    assert Caller(desk, shown).get(USERINFO, token).status_code == 401


def test_it_is_advertised_where_certificates_arrive(desk: Desk, plain: Desk):
    path = "/.well-known/openid-configuration"
    there, nowhere = desk.http.get(path).json(), plain.http.get(path).json()
    assert there["tls_client_certificate_bound_access_tokens"] is True
    assert there["mtls_endpoint_aliases"]["token_endpoint"] == f"{MTLS}/oauth/token"
    assert "tls_client_certificate_bound_access_tokens" not in nowhere


def test_elsewhere_nobody_can_register_for_it(plain: Desk):
    with pytest.raises(InvalidClientMetadata, match="cannot do"):
        plain.client("x", tls_client_certificate_bound_access_tokens=True)
