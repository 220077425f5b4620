"""userinfo and the ID token as registered: signed, encrypted, and with pairwise subjects."""

import json
from typing import Any

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet

from tests.conformance.conftest import ALL_SCOPES, SignIn
from tests.helpers.house import House, Person
from tests.helpers.relying_party import AuthorizationFailed, RelyingParty
from tests.oidc.desk import header_of, payload_of
from tests.web.walking import gone, shown, tokens_of

MINE = ECKey.generate_key("P-256", {"kid": "mine"})
JWKS = {"keys": [MINE.as_dict(private=False)]}
ALG, ENC = "ECDH-ES", "A128CBC-HS256"


def opened(token: str) -> str:
    found = jwe.decrypt_compact(token, MINE, algorithms=[ALG, ENC])
    assert found.plaintext is not None
    return found.plaintext.decode()


def told(client: RelyingParty, access_token: str) -> Any:
    return client.http.get(
        "/oauth/userinfo", headers={"Authorization": f"Bearer {access_token}"}
    ).raise_for_status()


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_userinfo_rs256_and_the_others(op: House, log_in: SignIn, algorithm: str) -> None:
    client = op.client(scope=ALL_SCOPES, userinfo_signed_response_alg=algorithm)
    assert algorithm in client.metadata["userinfo_signing_alg_values_supported"]
    tokens = client.finish(log_in(client, scope=ALL_SCOPES))
    response = told(client, tokens.access_token)
    assert response.headers["Content-Type"] == "application/jwt"
    keys = KeySet.import_key_set(client.http.get(client.metadata["jwks_uri"]).json())
    assert header_of(response.text)["alg"] == algorithm
    claims = payload_of(response.text)
    if algorithm != "EdDSA":  # joserfc knows it by its new name alone
        assert jwt.decode(response.text, keys, algorithms=[algorithm]).claims == claims
    assert claims["iss"] == client.issuer
    assert claims["aud"] == client.client_id
    assert claims["sub"] == tokens.claims["sub"]
    assert claims["email"] == "alice@example.com"
    assert "nonce" not in claims
    assert "" not in claims.values()


def test_userinfo_encrypted(op: House, log_in: SignIn) -> None:
    client = op.client(jwks=JWKS, userinfo_encrypted_response_alg=ALG)
    assert ALG in client.metadata["userinfo_encryption_alg_values_supported"]
    assert ENC in client.metadata["userinfo_encryption_enc_values_supported"]
    tokens = client.finish(log_in(client))
    claims = json.loads(opened(told(client, tokens.access_token).text))
    assert claims["sub"] == tokens.claims["sub"]


def test_idtoken_encrypted_from_both_endpoints(op: House, log_in: SignIn) -> None:
    client = op.client(
        jwks=JWKS,
        id_token_encrypted_response_alg=ALG,
        response_types=["code id_token"],
        grant_types=["authorization_code", "implicit"],
    )
    assert ALG in client.metadata["id_token_encryption_alg_values_supported"]
    departure = log_in(client, response_type="code id_token")
    front = opened(departure.parameters["id_token"])
    code, pending = client.authorization_code(departure)
    response = client.token_request(
        grant_type="authorization_code",
        code=code,
        redirect_uri=client.redirect_uri,
        code_verifier=pending.verifier or "",
    )
    back = opened(response.json()["id_token"])
    claims = [
        client.verify(one, {**response.json(), "code": code}, nonce=pending.nonce)
        for one in (front, back)
    ]
    assert claims[0]["sub"] == claims[1]["sub"]
    assert "c_hash" in claims[0]
    assert "at_hash" in claims[1]


def test_a_response_is_encrypted_whole(op: House, log_in: SignIn) -> None:
    client = op.client(jwks=JWKS, authorization_encrypted_response_alg=ALG)
    departure = log_in(client, response_mode="query.jwt")
    assert departure.parameters.keys() == {"response"}
    claims = payload_of(opened(departure.parameters["response"]))
    assert (claims["iss"], claims["aud"]) == (client.issuer, client.client_id)
    assert claims["code"]


@pytest.mark.parametrize("mode", ["fragment", "jwt"])
def test_without_a_key_to_encrypt_with_nobody_is_asked_in_vain(op: House, mode: str) -> None:
    client = op.client(
        jwks_uri="https://localhost:1/jwks",
        id_token_encrypted_response_alg=ALG,
        authorization_encrypted_response_alg=ALG,
        response_types=["code id_token"],
        grant_types=["authorization_code", "implicit"],
    )
    url = client.authorization_url(response_type="code id_token", response_mode=mode)
    place = op.browser().get(url)
    if mode == "jwt":  # what would say so cannot be encrypted either
        assert shown(place).status == 503
    else:
        assert gone(place).parameters["error"] == "temporarily_unavailable"
        assert gone(place).parameters["state"] in client.pending


# --- pairwise ---------------------------------------------------------------------------------


def pairwise(op: House, host: str) -> RelyingParty:
    return op.client(
        client_name=host, subject_type="pairwise", redirect_uris=[f"https://{host}/callback"]
    )


def test_pairwise_subjects_are_the_same_within_a_sector_alone(op: House, alice: Person) -> None:
    agent = op.browser()
    one, same, other = (pairwise(op, host) for host in ("a.example", "a.example", "b.example"))
    claims = {c.client_id: tokens_of(agent, c, alice).claims for c in (one, same, other)}
    subjects = [claims[c.client_id]["sub"] for c in (one, same, other)]
    assert subjects[0] == subjects[1] != subjects[2]
    assert alice.id not in subjects


def test_a_hint_of_a_pairwise_client_means_its_person(op: House, alice: Person) -> None:
    client, agent = pairwise(op, "a.example"), op.browser()
    first = tokens_of(agent, client, alice)
    again = tokens_of(agent, client, prompt="none", id_token_hint=first.id_token)
    assert again.claims["sub"] == first.claims["sub"]
    assert again.claims["auth_time"] == first.claims["auth_time"]
    claimed = {"id_token": {"sub": {"value": first.claims["sub"]}}}
    found = tokens_of(agent, client, prompt="none", claims=claimed)
    assert found.claims["sub"] == first.claims["sub"]
    foreign = {"id_token": {"sub": {"value": alice.id}}}
    with pytest.raises(AuthorizationFailed) as refused:
        tokens_of(agent, client, prompt="none", claims=foreign)
    assert refused.value.error == "invalid_request"
