"""ID tokens and userinfo for the client's eyes alone, over HTTP; and when its keys are away."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, Key, KeySet
from sqlalchemy import select

from idp.models import Grant, db
from tests.helpers.clock import FakeClock
from tests.helpers.little_server import LittleServer, little_server, saying
from tests.helpers.relying_party import RelyingParty
from tests.oidc.desk import Desk, code_form, header_of, payload_of
from tests.oidc.desk import opened as opened_desk
from tests.services.statements import counted

MINE = ECKey.generate_key("P-256", {"kid": "mine", "use": "enc"})
JWKS = {"keys": [MINE.as_dict(private=False)]}
ALGS = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}
ENCRYPTED_ID_TOKEN = {f"id_token_encrypted_response_{name}": value for name, value in ALGS.items()}
ENCRYPTED_USERINFO = {f"userinfo_encrypted_response_{name}": value for name, value in ALGS.items()}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is encrypted for whom is not the database's affair."""
    return sqlite_url


def opened(token: str) -> str:
    """What is inside a JWE for the key that is ours as the client."""
    found = jwe.decrypt_compact(token, MINE, algorithms=list(ALGS.values()))
    assert found.plaintext is not None
    return found.plaintext.decode()


def provider_keys(desk: Desk) -> KeySet:
    return KeySet.import_key_set(desk.http.get("/oauth/jwks").json())


def token_response(desk: Desk, party: RelyingParty, **granted: Any) -> dict[str, Any]:
    response = party.token_request(**code_form(desk.code(party, **granted)))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def userinfo(desk: Desk, token: str) -> Any:
    return desk.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})


def test_an_id_token_is_signed_and_then_encrypted(desk: Desk):
    party = desk.client(jwks=JWKS, id_token_signed_response_alg="PS256", **ENCRYPTED_ID_TOKEN)
    told = token_response(desk, party, scope=("openid", "offline_access"))
    assert {**header_of(told["id_token"]), "epk": None} == {
        **ALGS,
        **{"kid": "mine", "typ": "JWT", "cty": "JWT", "epk": None},
    }
    claims = jwt.decode(opened(told["id_token"]), provider_keys(desk), algorithms=["PS256"]).claims
    assert (claims["sub"], claims["aud"], claims["nonce"]) == ("ann", "shop", "n-1")
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    again = payload_of(opened(party.token_request(**form).json()["id_token"]))
    assert "nonce" not in again
    for name in ("iss", "sub", "aud", "azp", "auth_time", "acr", "amr", "sid"):
        assert again[name] == claims[name]


def test_signed_userinfo_says_from_whom_and_for_whom(desk: Desk):
    party = desk.client(userinfo_signed_response_alg="ES256")
    told = token_response(desk, party, scope=("openid", "email"))
    response = userinfo(desk, told["access_token"])
    assert response.headers["Content-Type"] == "application/jwt"
    assert response.headers["Cache-Control"] == "no-store"
    read = jwt.decode(response.text, provider_keys(desk), algorithms=["ES256"])
    assert read.claims == {
        "iss": "https://id.example.com",
        "aud": "shop",
        "sub": "ann",
        "email": "ann@example.com",
        "email_verified": True,
    }


@pytest.mark.parametrize("signing", [None, "RS256"], ids=["not signed", "signed"])
def test_encrypted_userinfo(desk: Desk, signing: str | None):
    signed = {"userinfo_signed_response_alg": signing} if signing else {}
    party = desk.client(jwks=JWKS, **ENCRYPTED_USERINFO, **signed)
    told = token_response(desk, party, scope=("openid", "email"))
    response = userinfo(desk, told["access_token"])
    assert response.headers["Content-Type"] == "application/jwt"
    assert header_of(response.text).get("cty") == ("JWT" if signing else None)
    inner = opened(response.text)
    claims = payload_of(inner) if signing else json.loads(inner)
    assert (claims["sub"], claims["aud"]) == ("ann", "shop")
    assert claims["email"] == "ann@example.com"


def test_a_changed_registration_counts_at_once(desk: Desk):
    party = desk.client()
    token = token_response(desk, party)["access_token"]
    assert userinfo(desk, token).headers["Content-Type"] == "application/json"
    members = {"redirect_uris": [party.redirect_uri], "userinfo_signed_response_alg": "EdDSA"}
    with desk.rows():
        desk.services.client_registry.update("shop", members, desk.context)
    assert userinfo(desk, token).headers["Content-Type"] == "application/jwt"


def test_signed_userinfo_is_one_statement_like_any_other(desk: Desk):
    party = desk.client(userinfo_signed_response_alg="ES256")
    token = token_response(desk, party)["access_token"]
    userinfo(desk, token)
    with desk.app.app_context(), counted() as statements:
        userinfo(desk, token)
    assert len(statements) == 1, statements


# --- keys that are somewhere else -----------------------------------------------------------


@pytest.fixture
def server() -> Iterator[LittleServer]:
    with little_server(saying(json.dumps(JWKS).encode())) as running:
        yield running


@pytest.fixture
def near(sqlite_url: str, clock: FakeClock, made_keys: dict[str, Key]) -> Iterator[Desk]:
    """A provider that may fetch from this machine."""
    yield from opened_desk(sqlite_url, clock, made_keys, outbound_networks=["127.0.0.0/8"])


def test_a_code_outlives_a_time_without_keys(near: Desk, clock: FakeClock, server: LittleServer):
    party = near.client(jwks_uri=server.url("/jwks"), **ENCRYPTED_ID_TOKEN)
    good, server.answer = server.answer, saying(b"gone", "500 Internal Server Error")
    code = near.code(party)
    refused = party.token_request(**code_form(code))
    assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
    assert "id_token" not in refused.text
    server.answer = good
    clock.advance(seconds=20)
    told = party.token_request(**code_form(code))
    assert payload_of(opened(told.json()["id_token"]))["sub"] == "ann"
    assert len(server.requests) == 2


def test_a_key_that_nothing_can_be_agreed_on_with_costs_no_code(desk: Desk):
    """RFC 7748 section 6: a point of small order, which whoever registers can write down."""
    nowhere = {"kty": "OKP", "crv": "X25519", "x": "A" * 43}
    party = desk.client(jwks={"keys": [nowhere]}, id_token_encrypted_response_alg="ECDH-ES")
    code = desk.code(party)
    refused = party.token_request(**code_form(code))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    with desk.rows():
        assert db.session.scalars(select(Grant.code_used_at)).all() == [None]
