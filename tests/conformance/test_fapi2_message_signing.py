"""FAPI 2.0 Message Signing (final): signed requests and answers, on top of the Security Profile.

A "fapi2-message-signing-final-" is left out of the names.
"""

from typing import Any

import httpx
import pytest
from joserfc import jwt

from tests.conformance.conftest import SignIn
from tests.conformance.fapi import PAR, arrive, error_of, fapi_client, going, is_refused_here, push
from tests.helpers.house import House, made_once
from tests.helpers.relying_party import RelyingParty
from tests.helpers.signed_requests import jwks_of, signed, unsigned
from tests.helpers.user_agent import Departure, UserAgent
from tests.oidc.desk import header_of
from tests.web.walking import gone, press


@pytest.fixture(scope="module")
def client(op: House) -> RelyingParty:
    return fapi_client(op, "fapi2_message_signing")


@pytest.fixture(scope="module")
def known(op: House, rp: RelyingParty, log_in: SignIn) -> UserAgent:
    agent = op.browser()
    log_in(rp, agent)
    return agent


def object_of(op: House, party: RelyingParty, **changes: Any) -> dict[str, Any]:
    """The claims of an honest request object, changed; None removes. Times are from now."""
    now = int(op.clock().timestamp())
    honest: dict[str, Any] = {
        **party.authorization_parameters(response_mode="jwt"),
        "iss": party.client_id,
        "aud": party.issuer,
        "nbf": 0,
        "exp": 300,
    }
    claims = {name: one for name, one in {**honest, **changes}.items() if one is not None}
    named = [name for name in ("nbf", "exp", "iat") if name in claims]
    times: dict[str, Any] = {name: now + claims[name] for name in named}
    return {**claims, **times}


def push_object(party: RelyingParty, text: str, **beside: str) -> httpx.Response:
    return party.post(PAR, {"request": text, **beside})


def response_of(op: House, party: RelyingParty, departure: Departure) -> dict[str, Any]:
    """What the answer says (JARM), whose signature and times have been checked."""
    assert departure.parameters.keys() == {"response"}
    text = departure.parameters["response"]
    assert header_of(text)["alg"] == "PS256"
    claims = jwt.decode(text, party._key_set(text), algorithms=["PS256"]).claims
    now = int(op.clock().timestamp())
    assert (claims["iss"], claims["aud"]) == (party.issuer, party.client_id)
    assert now < claims["exp"] <= now + 600
    return dict(claims)


def answered(op: House, party: RelyingParty, agent: UserAgent, text: str) -> dict[str, Any]:
    pushed = push_object(party, text)
    assert pushed.status_code == 201, pushed.text
    return response_of(op, party, gone(agent.get(going(party, pushed.json()["request_uri"]))))


def test_happy_flow(op: House, client: RelyingParty, known: UserAgent) -> None:
    claims = object_of(op, client)
    answer = answered(op, client, known, signed(claims))
    assert answer["state"] == claims["state"]
    pending = client.pending[claims["state"]]
    tokens = client.exchange(answer["code"], pending)
    assert client.userinfo(tokens.access_token)["sub"] == tokens.claims["sub"]


def test_user_rejects_authentication(op: House, client: RelyingParty) -> None:
    claims, agent = object_of(op, client), op.browser()
    request_uri = push_object(client, signed(claims)).json()["request_uri"]
    page = agent.page(going(client, request_uri))
    departure = gone(press(agent, page, "/cancel", "Cancel and return to Shop"))
    answer = response_of(op, client, departure)
    assert (answer["error"], answer["state"]) == ("access_denied", claims["state"])


GOOD: dict[str, dict[str, Any]] = {
    "ensure-request-object-with-multiple-aud-succeeds": {"aud": ["ISSUER", "https://x.example"]},
    "ensure-request-object-with-nbf-8-seconds-in-future-is-accepted": {"nbf": 8},
    "an hour at most": {"exp": 3600},
    "an hour old": {"nbf": -3590, "exp": 5},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_a_request_object_is_accepted(
    op: House, client: RelyingParty, changes: dict[str, Any]
) -> None:
    if "aud" in changes:
        changes = {"aud": [client.issuer, "https://x.example"]}
    assert push_object(client, signed(object_of(op, client, **changes))).status_code == 201


BAD: dict[str, dict[str, Any]] = {
    "ensure-request-object-without-exp-fails": {"exp": None},
    "ensure-request-object-without-nbf-fails": {"nbf": None},
    "ensure-request-object-with-exp-over-60-fails": {"exp": 4200},
    "ensure-request-object-with-nbf-over-60-fails": {"nbf": -4200},
    "a lifetime of more than an hour": {"nbf": -600, "exp": 3300},
    "ensure-expired-request-object-fails": {"exp": -40, "nbf": -100},
    "not good yet": {"nbf": 70, "exp": 120},
    "ensure-request-object-with-bad-aud-fails": {"aud": "https://other.example"},
    "no aud": {"aud": None},
    "no iss": {"iss": None},
    "another iss": {"iss": "somebody"},
    "request-uri inside": {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD)
def test_a_request_object_is_refused(
    op: House, client: RelyingParty, changes: dict[str, Any]
) -> None:
    refused = push_object(client, signed(object_of(op, client, **changes)))
    assert error_of(refused) == (400, "invalid_request_object")
    assert push_object(client, signed(object_of(op, client))).status_code == 201


def test_ensure_signed_request_object_with_rs256_fails(op: House) -> None:
    party = fapi_client(op, "fapi2_message_signing", jwks=jwks_of("RS256", "ES256", "PS256"))
    party.signing_key = made_once("ES256")
    refused = push_object(party, signed(object_of(op, party), "RS256"))
    assert error_of(refused) == (400, "invalid_request_object")
    for algorithm in ("ES256", "PS256"):
        assert push_object(party, signed(object_of(op, party), algorithm)).status_code == 201


def test_ensure_unsigned_request_object_fails(op: House, client: RelyingParty) -> None:
    refused = push_object(client, unsigned(object_of(op, client)))
    assert refused.status_code == 400
    assert refused.json()["error"] in {"invalid_request_object", "request_not_supported"}


def test_ensure_request_object_signature_algorithm_is_not_somebody_elses(
    op: House, client: RelyingParty
) -> None:
    """Signed well, and by a key that is not the client's."""
    other = fapi_client(op, "fapi2_message_signing", algorithm="PS256")
    refused = push_object(client, signed(object_of(op, client), "PS256"))
    assert error_of(refused) == (400, "invalid_request_object")
    assert push_object(other, signed(object_of(op, other), "PS256")).status_code == 201


def test_ensure_unsigned_authorization_request_fails(client: RelyingParty) -> None:
    """Parameters that are pushed as they are, by a client that said it signs."""
    assert error_of(push(client, response_mode="jwt")) == (400, "invalid_request")


def test_ensure_request_object_outside_of_par_fails(
    op: House, client: RelyingParty, known: UserAgent
) -> None:
    text = signed(object_of(op, client))
    outside = client.authorization_parameters(response_mode="jwt")
    url = f"/oauth/authorize?{httpx.QueryParams({**outside, 'request': text})}"
    answer = known.get(url)
    if isinstance(answer, Departure):
        assert response_of(op, client, answer)["error"] == "invalid_request"
    else:
        assert is_refused_here(known.client.get(url))


def test_ensure_answers_are_signed(op: House, client: RelyingParty) -> None:
    refused = push_object(client, signed(object_of(op, client, response_mode=None)))
    assert error_of(refused) == (400, "invalid_request")
    posted = push_object(client, signed(object_of(op, client, response_mode="form_post.jwt")))
    assert posted.status_code == 201


def test_only_this_profile_asks_for_signatures(op: House, known: UserAgent) -> None:
    party = fapi_client(op)
    answer = arrive(party, known).parameters
    assert answer.keys() == {"code", "state", "iss", "session_state"}
    old = object_of(op, party, nbf=None, exp=None, aud=None)
    assert push_object(party, signed(old), **party.authorization_parameters()).status_code == 201
