"""FAPI 2.0, sender-constrained tokens: what DPoP accepts and refuses, and the mTLS variant.

A "fapi2-security-profile-final-" is left out of the names.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conformance.conftest import SignIn
from tests.conformance.fapi import PAR, USERINFO, arrive, error_of, fapi_client, pushed, redemption
from tests.helpers.client_certificate import certificate, public_jwk, rfc_9440
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.dpop import Prover
from tests.helpers.house import House, made_once
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import sign_in
from tests.helpers.signing import jwks
from tests.helpers.user_agent import UserAgent
from tests.oidc.desk import payload_of
from tests.web.walking import housed, newcomer


@pytest.fixture(scope="module")
def client(op: House) -> RelyingParty:
    return fapi_client(op)


@pytest.fixture(scope="module")
def token(op: House, client: RelyingParty, rp: RelyingParty, log_in: SignIn) -> str:
    agent = op.browser()
    log_in(rp, agent)
    return client.finish(arrive(client, agent)).access_token


def asked(client: RelyingParty, token: str, **changes: Any) -> httpx.Response:
    prover = client.prover
    assert prover is not None
    headers = prover.headers(token, "GET", changes.pop("path", USERINFO), **changes)
    return client.http.get(USERINFO, headers=headers)


GOOD: dict[str, dict[str, Any]] = {
    "dpop-htu-with-query-accepted": {"path": f"{USERINFO}?a=b"},
    "dpop-htu-with-fragment-accepted": {"path": f"{USERINFO}#a"},
    "dpop-htu-host-in-other-case-accepted": {"htu": f"HTTP://LocalHost:8000{USERINFO}"},
    "dpop-additional-claims-accepted": {"sub": "x", "https://claim.example": {"a": [1]}},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_dpop_positive_tests(client: RelyingParty, token: str, changes: dict[str, Any]) -> None:
    assert asked(client, token, **changes).status_code == 200


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_dpop_scheme_case_insensitive(client: RelyingParty, token: str, scheme: str) -> None:
    assert client.prover
    headers = client.prover.headers(token, "GET", USERINFO)
    headers["Authorization"] = f"{scheme} {token}"
    assert client.http.get(USERINFO, headers=headers).status_code == 200


def test_dpop_negative_tests_of_the_key(op: House, client: RelyingParty, token: str) -> None:
    assert client.prover
    private = {**client.prover.public, "d": "x" * 43}
    assert asked(client, token, header={"jwk": private}).status_code == 401
    other = made_once("PS256")
    assert asked(client, token, header={"alg": "PS256"}, signer=other).status_code == 401
    stranger = Prover(op.settings.issuer, op.clock).headers(token, "GET", USERINFO)
    assert client.http.get(USERINFO, headers=stranger).status_code == 401
    assert asked(client, token).status_code == 200


def test_dpop_two_headers(client: RelyingParty, token: str) -> None:
    assert client.prover
    first, second = (client.prover.headers(token, "GET", USERINFO) for _ in range(2))
    # As servers hand over a header that came twice (RFC 9110 section 5.3).
    twice = {**first, "DPoP": f"{first['DPoP']},{second['DPoP']}"}
    assert client.http.get(USERINFO, headers=twice).status_code == 401
    assert client.http.get(USERINFO, headers=first).status_code == 200


def test_dpop_jti_replay(client: RelyingParty, token: str) -> None:
    assert client.prover
    headers = client.prover.headers(token, "GET", USERINFO)
    assert client.http.get(USERINFO, headers=headers).status_code == 200
    assert error_of(client.http.get(USERINFO, headers=headers)) == (401, "invalid_dpop_proof")


# --- mTLS -------------------------------------------------------------------------------------

MTLS = "https://mtls.example"


class Connected:
    """A house behind a proxy that says which certificate was shown."""

    def __init__(self, house: House) -> None:
        self.house = house

    def http(self, name: str | None) -> httpx.Client:
        shown = {} if name is None else {"Client-Cert": rfc_9440(certificate(key=name))}
        transport = httpx.WSGITransport(self.house.app, remote_addr="127.0.0.1")
        return httpx.Client(transport=transport, base_url=self.house.settings.issuer, headers=shown)

    def client(self, name: str) -> RelyingParty:
        party = self.house.client(
            profile="fapi2",
            token_endpoint_auth_method="self_signed_tls_client_auth",
            tls_client_certificate_bound_access_tokens=True,
            jwks=jwks(public_jwk(name)),
            consent="never",
        )
        party.authentication, party.http = "self_signed_tls_client_auth", self.http(name)
        party.algorithms = ("PS256",)
        return party


@pytest.fixture(scope="module")
def behind(databases: Databases) -> Iterator[Connected]:
    proxied = {
        "trusted_proxies": ["127.0.0.0/8"],
        "client_certificate_header": "Client-Cert",
        "mtls_origin": MTLS,
    }
    with databases.fresh("sqlite") as url, housed(url, FakeClock(), **proxied) as house:
        yield Connected(house)


@pytest.fixture(scope="module")
def visitor(behind: Connected) -> UserAgent:
    """A browser in which somebody is signed in."""
    agent, person = behind.house.browser(), newcomer(behind.house)
    plain = behind.house.client(consent="never")
    sign_in(agent, plain.authorization_url(), username=person.email, password=person.password)
    return agent


def test_mtls_discovery_end_point_verification(behind: Connected) -> None:
    document = behind.client("one").metadata
    assert document["tls_client_certificate_bound_access_tokens"] is True
    methods = document["token_endpoint_auth_methods_supported"]
    assert {"private_key_jwt", "self_signed_tls_client_auth"} <= set(methods)
    aliases = document["mtls_endpoint_aliases"]
    for name in ("token", "userinfo", "pushed_authorization_request"):
        assert aliases[f"{name}_endpoint"].startswith(f"{MTLS}/oauth/"), name


def test_mtls_happy_flow(behind: Connected, visitor: UserAgent) -> None:
    first, second = behind.client("one"), behind.client("two")
    tokens = first.finish(arrive(first, visitor))
    assert tokens.raw["token_type"] == "Bearer"
    assert payload_of(tokens.access_token)["cnf"].keys() == {"x5t#S256"}
    # Its certificate is another one over the same key each time it is made: keep the connection.
    assert first.userinfo(tokens.access_token)["sub"] == tokens.claims["sub"]
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    for stolen in (second.http, behind.http(None)):
        assert stolen.get(USERINFO, headers=headers).status_code == 401


def test_mtls_ensure_holder_of_key_required(behind: Connected, visitor: UserAgent) -> None:
    client = behind.client("one")
    url = pushed(client)
    assert url.startswith("/oauth/authorize?")
    form = {**redemption(client, visitor), "client_id": client.client_id}
    for other in (behind.http(None), behind.http("two")):
        assert error_of(other.post("/oauth/token", data=form)) == (401, "invalid_client")
        asked = client.authorization_parameters()
        assert error_of(other.post(PAR, data=asked)) == (401, "invalid_client")
    assert client.http.post("/oauth/token", data=form).status_code == 200
