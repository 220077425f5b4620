"""FAPI 2.0 Security Profile (final). A "fapi2-security-profile-final-" is left out of the names."""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conformance.conftest import SignIn
from tests.conformance.fapi import (
    PAR,
    TOKEN,
    USERINFO,
    arrive,
    error_of,
    fapi_client,
    going,
    is_refused_here,
    push,
    pushed,
    redemption,
    without_assertion,
)
from tests.helpers.dpop import REMOVED, Prover
from tests.helpers.house import CALLBACK, House, Person, made_once
from tests.helpers.relying_party import RelyingParty, asserting
from tests.helpers.sign_in import sign_in
from tests.helpers.signed_requests import jwks_of
from tests.helpers.user_agent import UserAgent
from tests.oidc.desk import header_of, payload_of
from tests.web.walking import press, told

ALGORITHMS = {"PS256", "ES256", "EdDSA"}
SECOND_CALLBACK = f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"


@pytest.fixture(scope="module")
def client(op: House) -> RelyingParty:
    return fapi_client(op)


@pytest.fixture(scope="module")
def client2(op: House) -> RelyingParty:
    return fapi_client(op, algorithm="PS256", redirect_uris=[SECOND_CALLBACK])


@pytest.fixture(scope="module")
def known(op: House, alice: Person, rp: RelyingParty, log_in: SignIn) -> UserAgent:
    """A browser in which Alice is signed in."""
    agent = op.browser()
    log_in(rp, agent)
    return agent


@pytest.fixture
def other_key(op: House, client: RelyingParty) -> Iterator[Prover]:
    """The client with another DPoP key, for one test."""
    kept, client.prover = client.prover, Prover(op.settings.issuer, op.clock)
    yield client.prover
    client.prover = kept


def prover_of(party: RelyingParty) -> Prover:
    assert party.prover is not None
    return party.prover


def resource(party: RelyingParty, token: str, **changes: Any) -> httpx.Response:
    """Userinfo stands for the resource."""
    headers = prover_of(party).headers(token, "GET", USERINFO, **changes)
    return party.http.get(USERINFO, headers=headers)


# --- what is advertised -----------------------------------------------------------------------


def test_discovery_end_point_verification(client: RelyingParty) -> None:
    document = client.metadata
    assert document["pushed_authorization_request_endpoint"].endswith(PAR)
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "private_key_jwt" in document["token_endpoint_auth_methods_supported"]
    for name in (
        *("id_token_signing_alg", "token_endpoint_auth_signing_alg", "dpop_signing_alg"),
        *("request_object_signing_alg", "authorization_signing_alg", "userinfo_signing_alg"),
    ):
        assert set(document[f"{name}_values_supported"]) >= ALGORITHMS, name
    oauth = client.http.get("/.well-known/oauth-authorization-server").json()
    assert oauth == document


# --- the flow ---------------------------------------------------------------------------------


def test_happy_flow(op: House, client: RelyingParty, client2: RelyingParty, alice: Person) -> None:
    for party in (client, client2):
        departure = sign_in(
            op.browser(), pushed(party), username=alice.email, password=alice.password
        )
        assert departure.url.startswith(party.redirect_uri)
        tokens = party.finish(departure)  # which checks iss and state
        assert tokens.claims["sub"] == alice.id
        assert tokens.raw["token_type"] == "DPoP"
        assert header_of(tokens.id_token)["alg"] == "PS256"
        answer = resource(party, tokens.access_token)
        assert answer.json()["sub"] == alice.id
        in_query = party.http.get(f"{USERINFO}?access_token={tokens.access_token}")
        assert in_query.status_code == 400
        stolen = client2 if party is client else client
        assert resource(stolen, tokens.access_token).status_code == 401


def test_happy_flow_with_dpop_jkt_alone(client: RelyingParty, known: UserAgent) -> None:
    prover, client.prover = client.prover, None
    try:
        code, pending = client.authorization_code(
            arrive(client, known, dpop_jkt=prover.jkt if prover else "")
        )
    finally:
        client.prover = prover
    assert client.exchange(code, pending).raw["token_type"] == "DPoP"


def test_user_rejects_authentication(op: House, client: RelyingParty) -> None:
    agent, state = op.browser(), secrets.token_urlsafe(8)
    page = agent.page(pushed(client, state=state))
    answer = told(press(agent, page, "/cancel", "Cancel and return to Shop"))
    assert (answer["error"], answer["state"]) == ("access_denied", state)
    assert answer["iss"] == client.issuer


def test_ensure_authorization_request_without_state_success(
    client: RelyingParty, known: UserAgent
) -> None:
    answer = arrive(client, known, state=None).parameters
    assert answer.keys() == {"code", "iss", "session_state"}


@pytest.mark.parametrize("length", [64, 384])
def test_ensure_authorization_request_with_long_nonce(
    client: RelyingParty, known: UserAgent, length: int
) -> None:
    tokens = client.finish(arrive(client, known, nonce="n" * length))
    assert tokens.claims["nonce"] == "n" * length


def test_ensure_authorization_request_with_long_state(
    client: RelyingParty, known: UserAgent
) -> None:
    state = secrets.token_urlsafe(750)[:1000]
    assert arrive(client, known, state=state).parameters["state"] == state


def test_ensure_different_nonce_inside_and_outside_request_object(
    client: RelyingParty, known: UserAgent
) -> None:
    """And whatever else stands beside what was pushed."""
    url = pushed(client, nonce="pushed", state="pushed")
    departure = known.get(f"{url}&nonce=other&state=other&scope=openid+email")
    tokens = client.finish(departure)  # type: ignore[arg-type]
    assert tokens.claims["nonce"] == "pushed"


# --- pushing ----------------------------------------------------------------------------------


def test_par_attempt_reuse_request_uri(client: RelyingParty, known: UserAgent) -> None:
    url = pushed(client)
    client.finish(known.get(url))  # type: ignore[arg-type]
    assert is_refused_here(known.client.get(url))


def test_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(
    op: House, client: RelyingParty
) -> None:
    url, agent = pushed(client), op.browser()
    assert agent.page(url).form("/password")
    assert agent.page(url).form("/password")


def test_par_attempt_to_use_expired_request_uri(
    op: House, client: RelyingParty, known: UserAgent
) -> None:
    answer = push(client).json()
    assert 5 <= answer["expires_in"] <= 600
    op.clock.advance(seconds=answer["expires_in"])
    assert is_refused_here(known.client.get(going(client, answer["request_uri"])))


def test_par_attempt_to_use_request_uri_for_different_client(
    client: RelyingParty, client2: RelyingParty, known: UserAgent
) -> None:
    request_uri = push(client).json()["request_uri"]
    assert is_refused_here(known.client.get(going(client2, request_uri)))


def test_par_authorization_request_containing_request_uri_form_param(client: RelyingParty) -> None:
    reference = push(client).json()["request_uri"]
    assert error_of(push(client, request_uri=reference)) == (400, "invalid_request")


def test_par_endpoint_refuses_put(client: RelyingParty) -> None:
    assert client.http.put(PAR, data=client.authorization_parameters()).status_code == 405


BAD_PUSHES = {
    "ensure-redirect-uri-in-authorization-request": ({"redirect_uri": None}, "invalid_request"),
    "par-without-pkce": (
        {"code_challenge": None, "code_challenge_method": None},
        "invalid_request",
    ),
    "par-plain-pkce-rejected": ({"code_challenge_method": "plain"}, "invalid_request"),
    "par-pkce-method-missing": ({"code_challenge_method": None}, "invalid_request"),
    "par-ensure-response-type-token": ({"response_type": "token"}, "unauthorized_client"),
    "ensure-response-type-code-idtoken-fails": (
        {"response_type": "code id_token"},
        "unauthorized_client",
    ),
    "par-ensure-registered-redirect-uri": (
        {"redirect_uri": "https://elsewhere.example/"},
        "invalid_request",
    ),
    "dpop-jkt-that-is-none": ({"dpop_jkt": "short"}, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "error"), BAD_PUSHES.values(), ids=BAD_PUSHES)
def test_par_refuses(client: RelyingParty, changes: dict[str, Any], error: str) -> None:
    answer = push(client, **changes)
    assert answer.status_code == 400
    assert answer.json()["error"] in {error, "unsupported_response_type"}
    assert push(client).status_code == 201


def test_ensure_unsigned_authorization_request_without_using_par_fails(
    client: RelyingParty, known: UserAgent
) -> None:
    answer = told(known.get(client.authorization_url()))
    assert (answer["error"], answer["iss"]) == ("invalid_request", client.issuer)


# --- client assertions ------------------------------------------------------------------------


def with_assertion(party: RelyingParty, assertion: str) -> httpx.Response:
    """A push that is authenticated by this assertion."""
    form = {**party.authorization_parameters(), **asserting(assertion)}
    return party.http.post(PAR, data=form)


GOOD_ASSERTIONS: dict[str, dict[str, int]] = {
    "par-ensure-client-assertion-is-accepted": {},
    "ensure-client-assertion-with-iat-8-seconds-in-future-is-accepted": {"iat": 8},
    "ensure-client-assertion-with-nbf-8-seconds-in-future-is-accepted": {"nbf": 8},
}


@pytest.mark.parametrize("ahead", GOOD_ASSERTIONS.values(), ids=GOOD_ASSERTIONS)
def test_an_assertion_is_accepted(op: House, client: RelyingParty, ahead: dict[str, int]) -> None:
    now = int(op.clock().timestamp())
    claims: dict[str, Any] = {name: now + seconds for name, seconds in ahead.items()}
    assert with_assertion(client, client.assertion(**claims)).status_code == 201


BAD_ASSERTIONS: dict[str, dict[str, Any]] = {
    "par-test-array-as-audience-for-client-assertion": {"aud": ["ISSUER"]},
    "par-test-par-endpoint-as-audience-for-client-assertion": {"aud": f"ISSUER{PAR}"},
    "par-test-token-endpoint-as-audience-for-client-assertion": {"aud": f"ISSUER{TOKEN}"},
    "ensure-client-assertion-with-wrong-aud-fails": {"aud": "https://other.example"},
    "ensure-client-assertion-with-no-sub-fails": {"sub": None},
    "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails": {"exp": -300, "iat": -360},
    "ensure-client-assertion-with-nbf-over-60-seconds-in-future-fails": {"nbf": 70},
    "ensure-client-assertion-with-iat-over-60-seconds-in-future-fails": {"iat": 70},
}


@pytest.mark.parametrize("changes", BAD_ASSERTIONS.values(), ids=BAD_ASSERTIONS)
def test_an_assertion_is_refused(op: House, client: RelyingParty, changes: dict[str, Any]) -> None:
    now = int(op.clock().timestamp())
    claims: dict[str, Any] = {
        name: now + value if isinstance(value, int) else _at(value, client.issuer)
        for name, value in changes.items()
    }
    assert error_of(with_assertion(client, client.assertion(**claims))) == (401, "invalid_client")
    assert with_assertion(client, client.assertion()).status_code == 201


def _at(value: Any, issuer: str) -> Any:
    if isinstance(value, list):
        return [_at(one, issuer) for one in value]
    return value.replace("ISSUER", issuer) if isinstance(value, str) else value


def test_ensure_signed_client_assertion_with_rs256_fails(op: House) -> None:
    party = fapi_client(op, jwks=jwks_of("RS256", "ES256"))
    party.signing_key, party.assertion_algorithm = made_once("RS256"), "RS256"
    assert error_of(with_assertion(party, party.assertion())) == (401, "invalid_client")
    party.signing_key, party.assertion_algorithm = made_once("ES256"), "ES256"
    assert with_assertion(party, party.assertion()).status_code == 201


def test_ensure_client_assertion_in_token_endpoint(client: RelyingParty, known: UserAgent) -> None:
    form = redemption(client, known)
    assert error_of(without_assertion(client, TOKEN, form)) == (401, "invalid_client")
    assert client.token_request(**form).status_code == 200


# --- codes ------------------------------------------------------------------------------------


def test_ensure_authorization_code_is_bound_to_client(
    client: RelyingParty, client2: RelyingParty, known: UserAgent
) -> None:
    form = redemption(client, known)
    assert error_of(client2.token_request(**form)) == (400, "invalid_grant")
    assert client.token_request(**form).status_code == 200


def test_ensure_pkce_code_verifier_required(client: RelyingParty, known: UserAgent) -> None:
    form = redemption(client, known)
    verifier = form.pop("code_verifier")
    assert error_of(client.token_request(**form)) == (400, "invalid_grant")
    wrong = client.token_request(**form, code_verifier="x" * 43)
    assert error_of(wrong) == (400, "invalid_grant")
    assert client.token_request(**form, code_verifier=verifier).status_code == 200


def test_attempt_reuse_authorization_code_after_one_second(
    op: House, client: RelyingParty, known: UserAgent
) -> None:
    form = redemption(client, known)
    token = client.token_request(**form).json()["access_token"]
    assert resource(client, token).status_code == 200
    op.clock.advance(seconds=1)
    assert error_of(client.token_request(**form)) == (400, "invalid_grant")
    assert resource(client, token).status_code == 401


def test_ensure_authorization_code_expires(
    op: House, client: RelyingParty, known: UserAgent
) -> None:
    alive = redemption(client, known)
    op.clock.advance(seconds=59)
    assert client.token_request(**alive).status_code == 200
    dead = redemption(client, known)
    op.clock.advance(seconds=60)
    assert error_of(client.token_request(**dead)) == (400, "invalid_grant")


# --- sender-constrained tokens ----------------------------------------------------------------


def test_ensure_token_endpoint_fails_without_dpop_proof(
    client: RelyingParty, known: UserAgent
) -> None:
    form = redemption(client, known)
    kept, client.prover = client.prover, None
    assert error_of(client.token_request(**form)) == (400, "invalid_dpop_proof")
    client.prover = kept
    assert client.token_request(**form).status_code == 200


def test_ensure_mismatched_dpop_jkt_fails(
    op: House, client: RelyingParty, known: UserAgent
) -> None:
    """At the push, where the proof is for one key and ``dpop_jkt`` names another."""
    another = Prover(op.settings.issuer, op.clock)
    assert error_of(push(client, dpop_jkt=another.jkt)) == (400, "invalid_request")
    assert push(client, dpop_jkt=prover_of(client).jkt).status_code == 201


def test_ensure_mismatched_dpop_key_at_token_endpoint_fails(
    op: House, client: RelyingParty, known: UserAgent
) -> None:
    """A proof at the push binds the code."""
    form, kept = redemption(client, known), client.prover
    client.prover = Prover(op.settings.issuer, op.clock)
    assert error_of(client.token_request(**form)) == (400, "invalid_grant")
    client.prover = kept
    assert client.token_request(**form).status_code == 200


def test_par_refuses_a_bad_proof_and_uses_a_good_one_up(client: RelyingParty) -> None:
    def sent(proof: str) -> httpx.Response:
        form = {**client.authorization_parameters(), **asserting(client.assertion())}
        return client.http.post(PAR, data=form, headers={"DPoP": proof})

    prover = prover_of(client)
    assert error_of(sent(prover.proof("POST", TOKEN))) == (400, "invalid_dpop_proof")
    good = prover.proof("POST", PAR)
    assert sent(good).status_code == 201
    assert error_of(sent(good)) == (400, "invalid_dpop_proof")


def test_dpop_negative_tests_of_the_algorithm(op: House, known: UserAgent) -> None:
    """RS256 is good enough for others, and not here (section 5.4.1)."""
    party = fapi_client(op)
    form = redemption(party, known)  # binds the code to an ES256 key: nothing else is wrong below
    weak = Prover(op.settings.issuer, op.clock, "RS256", key=made_once("RS256"))
    answer = party.http.post(
        TOKEN,
        data={**form, "client_id": party.client_id, **asserting(party.assertion())},
        headers={"DPoP": weak.proof("POST", TOKEN)},
    )
    assert error_of(answer) == (400, "invalid_dpop_proof")


NEGATIVE: dict[str, dict[str, Any]] = {
    "no-jti": {"jti": REMOVED},
    "no-htm": {"htm": REMOVED},
    "no-htu": {"htu": REMOVED},
    "no-iat": {"iat": REMOVED},
    "no-ath": {"ath": REMOVED},
    "wrong-htm": {"htm": "PUT"},
    "wrong-htu": {"htu": "https://other.example/"},
    "wrong-ath": {"ath": "x" * 43},
    "iat-an-hour-ago": {"iat": -3600},
    "iat-an-hour-ahead": {"iat": 3600},
    "no-typ": {"header": {"typ": REMOVED}},
    "wrong-typ": {"header": {"typ": "jwt"}},
    "no-jwk": {"header": {"jwk": REMOVED}},
    "alg-none": {"header": {"alg": "none"}},
}


@pytest.mark.parametrize("changes", NEGATIVE.values(), ids=NEGATIVE)
def test_dpop_negative_tests(
    op: House, client: RelyingParty, known: UserAgent, changes: dict[str, Any]
) -> None:
    token = client.finish(arrive(client, known)).access_token
    changes = dict(changes)
    if isinstance(changes.get("iat"), int):
        changes["iat"] += int(op.clock().timestamp())
    refused = resource(client, token, **changes)
    assert refused.status_code in {400, 401}
    assert refused.headers["WWW-Authenticate"].startswith("DPoP ")
    assert resource(client, token).status_code == 200


@pytest.mark.parametrize("seconds", [-10, 10])
def test_dpop_iat_a_little_off_is_accepted(
    op: House, client: RelyingParty, known: UserAgent, seconds: int
) -> None:
    token = client.finish(arrive(client, known)).access_token
    now = int(op.clock().timestamp())
    assert resource(client, token, iat=now + seconds).status_code == 200


def test_dpop_bearer_downgrade(client: RelyingParty, known: UserAgent) -> None:
    token = client.finish(arrive(client, known)).access_token
    refused = client.http.get(USERINFO, headers={"Authorization": f"Bearer {token}"})
    assert error_of(refused) == (401, "invalid_token")


# --- refreshing -------------------------------------------------------------------------------


def test_refresh_token(
    op: House, client: RelyingParty, client2: RelyingParty, known: UserAgent
) -> None:
    """Not rotated, so that none gets lost; and no use to anybody else."""
    tokens = client.finish(arrive(client, known, scope="openid offline_access"))
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    assert error_of(without_assertion(client, TOKEN, form)) == (401, "invalid_client")
    assert error_of(client2.token_request(**form)) == (400, "invalid_grant")
    kept, client.prover = client.prover, None
    assert error_of(client.token_request(**form)) == (400, "invalid_dpop_proof")
    client.prover = kept
    again = client.refresh(tokens)
    assert again.raw.get("refresh_token", tokens.refresh_token) == tokens.refresh_token
    op.clock.advance(seconds=30)
    assert resource(client, client.refresh(tokens).access_token).status_code == 200


def test_refresh_token_with_a_new_dpop_key(
    op: House, client: RelyingParty, known: UserAgent
) -> None:
    tokens = client.finish(arrive(client, known, scope="openid offline_access"))
    kept, client.prover = client.prover, Prover(op.settings.issuer, op.clock)
    try:
        again = client.refresh(tokens)
        assert payload_of(again.access_token)["cnf"] == {"jkt": client.prover.jkt}
        assert resource(client, again.access_token).status_code == 200
    finally:
        client.prover = kept
