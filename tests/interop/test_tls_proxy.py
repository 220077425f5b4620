"""Clients' certificates through Apache, which ends TLS as docs/operations.md has it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from idp.clock import system_clock
from idp.models import db
from idp.services.certificates import ClientCertificate
from tests.helpers.client_certificate import (
    authority,
    base64_der,
    certificate,
    client_context,
    der,
    public_jwk,
)
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.ports import free_port
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import serve
from tests.helpers.signing import jwks
from tests.interop.apache import apache
from tests.oidc.desk import code_form, payload_of
from tests.services.certificate import localhost_certificate
from tests.services.people import granted_to, request_of

DOCS = Path(__file__).parents[2] / "docs/operations.md"
MODULES = ("mpm_event", "authz_core", "headers", "ssl", "proxy", "proxy_http")
HEADER, AUTHORITY = "X-Client-Cert", "CN=authority"
SELF_SIGNED: dict[str, Any] = {
    "token_endpoint_auth_method": "self_signed_tls_client_auth",
    "tls_client_certificate_bound_access_tokens": True,
    "jwks": jwks(public_jwk()),
    "consent": "never",
}
BY_NAME: dict[str, Any] = {
    "token_endpoint_auth_method": "tls_client_auth",
    "tls_client_auth_subject_dn": "CN=shop",
}


def documented(port: int, backend: int, pem: Path) -> str:
    """The documented host, at this port, with this certificate, before this server."""
    (block,) = re.findall(r"^```apache\n(.*?)^```", DOCS.read_text(), re.M | re.S)
    here = {
        "*:443": f"127.0.0.1:{port}",
        "mtls.id.example.com": "localhost",
        "/etc/ssl/id.pem": str(pem),
        "127.0.0.1:8000": f"127.0.0.1:{backend}",
    }
    for written, meant in here.items():
        assert block.count(written) == 1
        block = block.replace(written, meant)
    return f"Listen 127.0.0.1:{port}\n{block}"


def checking(host: str, authorities: Path) -> str:
    """The same for certificates that lead to an authority; said below the block."""
    assert "`SSLVerifyClient optional` and `SSLCACertificateFile` instead" in DOCS.read_text()
    wanted = f"SSLVerifyClient optional\nSSLCACertificateFile {authorities}"
    return host.replace("SSLVerifyClient optional_no_ca", wanted)


def careless(host: str) -> str:
    """The same without the lines that set and unset headers."""
    return re.sub(r"^ *RequestHeader .*\n", "", host, flags=re.M)


@dataclass(frozen=True)
class Street:
    """A provider behind three proxies.

    ``origin`` is the documented one's, and the issuer. ``checked`` lets only certificates of one
    authority through, and ``careless`` whatever header there is.
    """

    house: House
    origin: str
    checked: str
    careless: str
    folder: Path

    def client(self, **members: Any) -> RelyingParty:
        self.house.clock.set(system_clock())
        return self.house.client(**members)

    def post(
        self,
        path: str,
        form: dict[str, str],
        shown: x509.Certificate | None = None,
        *,
        key: str = "one",
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Over TLS, showing a certificate if there is one."""
        context = client_context(self.folder, self.folder / "certificate.pem", shown, key=key)
        with httpx.Client(verify=context, trust_env=False) as client:
            url = f"{origin or self.origin}{path}"
            return client.post(url, data=form, headers=headers)

    def introspect(self, party: RelyingParty, *args: Any, **more: Any) -> int:
        """The status of an answer to who only has to say who it is."""
        form = {"client_id": party.client_id, "token": "unknown"}
        return self.post("/oauth/introspect", form, *args, **more).status_code

    def code(self, party: RelyingParty, person: Person) -> str:
        """A code for this person, as the authorization endpoint would give it."""

        def issue(services: Any) -> str:
            now = self.house.clock()
            granted = replace(granted_to(party.client_id, now, user_id=person.id), session_id=None)
            made = services.grants.issue_code(granted, request_of(party.client_id), now=now)
            db.session.commit()
            return str(made)

        return str(self.house.do(issue))


def hosts(folder: Path, ports: Sequence[int], backend: int) -> str:
    """The three of them, with a certificate for ``localhost``."""
    _, pem = localhost_certificate(folder)
    both = folder / "server.pem"
    both.write_bytes(pem.read_bytes() + (folder / "key.pem").read_bytes())
    authorities = folder / "authorities.pem"
    authorities.write_bytes(authority(AUTHORITY).public_bytes(Encoding.PEM))
    usual, checked, loose = (documented(port, backend, both) for port in ports)
    return "\n".join((usual, checking(checked, authorities), careless(loose)))


@pytest.fixture(scope="module")
def street(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    ports = [free_port() for _ in range(4)]
    origins = [f"https://localhost:{port}" for port in ports]
    settings = {
        "issuer": origins[0],
        "trusted_proxies": "127.0.0.1",
        "client_certificate_header": HEADER,
        "client_certificate_verified": "true",
    }
    environ = {f"IDP_{name.upper()}": value for name, value in settings.items()}
    with (
        databases.fresh("sqlite") as url,
        serve(url, folder, settings=environ) as (server,),
        apache(folder, ports[3], hosts(folder, ports[:3], server.port), MODULES),
    ):
        typed = {"trusted_proxies": ["127.0.0.1"], "client_certificate_verified": True}
        house = House(url, FakeClock(system_clock()), **{**settings, **typed})
        yield Street(house, origins[0], origins[1], origins[2], folder)
        with house.app.app_context():
            db.engine.dispose()


def test_a_registered_key_lets_in_and_nothing_else_does(street: Street) -> None:
    party = street.client(**SELF_SIGNED)
    assert street.introspect(party, certificate()) == 200
    assert street.introspect(party, certificate(key="two"), key="two") == 401
    assert street.introspect(party) == 401


SPELLINGS = ("X-Client-Cert", "X_Client_Cert", "x-client_cert")


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_header_from_outside_is_not_believed(street: Street, name: str) -> None:
    party = street.client(**SELF_SIGNED)
    claimed = {name: base64_der(certificate())}
    assert street.introspect(party, headers=claimed) == 401
    assert street.introspect(party, certificate(key="two"), key="two", headers=claimed) == 401
    # And takes nothing away from who shows the certificate.
    stranger = {name: base64_der(certificate(key="two"))}
    assert street.introspect(party, certificate(), headers=stranger) == 200


@pytest.mark.parametrize("name", ["X-Client-Cert", "X_Client_Cert"])
def test_it_would_be_without_the_documented_lines(street: Street, name: str) -> None:
    party = street.client(**SELF_SIGNED)
    claimed = {name: base64_der(certificate())}
    assert street.introspect(party, origin=street.careless, headers=claimed) == 200


def test_tokens_are_worth_nothing_without_the_certificate_that_they_are_bound_to(
    street: Street,
) -> None:
    person = street.house.person()
    party, mine, other = street.client(**SELF_SIGNED), certificate(), certificate(key="two")
    form = code_form(street.code(party, person), client_id=party.client_id)
    told = street.post("/oauth/token", form, mine).json()
    bound = ClientCertificate(der(mine)).thumbprint
    assert payload_of(told["access_token"])["cnf"] == {"x5t#S256": bound}
    token = {"Authorization": f"Bearer {told['access_token']}"}
    assert street.post("/oauth/userinfo", {}, mine, headers=token).json()["sub"] == person.id
    claimed = {**token, HEADER: base64_der(mine)}
    for refused in (
        street.post("/oauth/userinfo", {}, headers=token),
        street.post("/oauth/userinfo", {}, other, key="two", headers=token),
        street.post("/oauth/userinfo", {}, headers=claimed),
        street.post(
            "/oauth/userinfo", {}, certificate(), headers=token
        ),  # the same key, another one
    ):
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


def test_a_name_that_the_authority_vouches_for(street: Street) -> None:
    party, origin = street.client(**BY_NAME), street.checked
    good = certificate(issuer=AUTHORITY)
    assert street.introspect(party, good, origin=origin) == 200
    other = certificate("CN=other", issuer=AUTHORITY)
    assert street.introspect(party, other, origin=origin) == 401
    assert street.introspect(party, origin=origin) == 401
    assert street.introspect(party, origin=origin, headers={HEADER: base64_der(good)}) == 401


def test_that_name_by_nobodys_word_or_by_anothers(street: Street) -> None:
    party = street.client(**BY_NAME)
    for made in (certificate(), certificate(issuer="CN=impostor")):
        with pytest.raises(httpx.TransportError):
            street.introspect(party, made, origin=street.checked)
        # What "checked" promises: where nobody does, anybody is who they say.
        assert street.introspect(party, made) == 200
