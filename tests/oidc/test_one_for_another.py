"""Nothing that is signed passes for something else (RFC 8725 section 3.11).

Every kind of JWT that goes about here is presented at every place that takes one, by the client,
for the client and with the client's own key, so that only what it *is* can be wrong with it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.conformance.test_logout import deliver, logout_url
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.dpop import Prover
from tests.helpers.house import House, Person, made_once
from tests.helpers.little_server import little_server
from tests.helpers.relying_party import RelyingParty, Tokens, asserting
from tests.helpers.sign_in import sign_in
from tests.helpers.signed_requests import jwks_of, signed
from tests.helpers.user_agent import Departure, UserAgent
from tests.oidc.desk import header_of, payload_of
from tests.web.walking import housed, newcomer

BACK = "https://shop.example/signed-out"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
API = "https://api.example"


@dataclass
class Stage:
    """A client that does everything with one key, and what a person's sign-in brought it."""

    house: House
    client: RelyingParty
    person: Person
    agent: UserAgent
    tokens: Tokens
    logout_token: str

    @property
    def now(self) -> int:
        return int(self.house.clock().timestamp())


@pytest.fixture(scope="module")
def stage(databases: Databases) -> Iterator[Stage]:
    with (
        databases.fresh("sqlite") as url,
        housed(url, FakeClock()) as house,
        little_server() as party,
    ):
        client = _client(house, party.url("/backchannel", host="localhost"))
        person = newcomer(house)
        _enter(house, client, person, leaving=True)
        assert deliver(house) == 1
        body = party.requests[-1].rpartition(b"\r\n\r\n")[2].decode()
        agent, tokens = _enter(house, client, person)
        logout_token = httpx.QueryParams(body)["logout_token"]
        yield Stage(house, client, person, agent, tokens, logout_token)


def _client(house: House, backchannel: str) -> RelyingParty:
    client = house.client(
        consent="never",
        scope="openid email orders",
        grant_types=["authorization_code", EXCHANGE],
        token_endpoint_auth_method="private_key_jwt",
        jwks=jwks_of("ES256"),
        id_token_signed_response_alg="ES256",
        userinfo_signed_response_alg="ES256",
        authorization_signed_response_alg="ES256",
        post_logout_redirect_uris=[BACK],
        backchannel_logout_uri=backchannel,
        token_exchange_audiences=[API],
    )
    client.authentication, client.signing_key = "private_key_jwt", made_once("ES256")
    return client


def _enter(
    house: House, client: RelyingParty, person: Person, *, leaving: bool = False
) -> tuple[UserAgent, Tokens]:
    agent = house.browser()
    # As much as can be had of what tells an ID token from others.
    claims = {"userinfo": {name: {"essential": True} for name in ("auth_time", "acr", "sid")}}
    url = client.authorization_url(scope="openid email orders", claims=claims)
    tokens = client.finish(sign_in(agent, url, username=person.email, password=person.password))
    if leaving:
        agent.get(logout_url(client, id_token_hint=tokens.id_token))
    return agent, tokens


# --- what goes about --------------------------------------------------------------------------


def _jarm(stage: Stage) -> str:
    url = stage.client.authorization_url(response_mode="jwt", prompt="none")
    departure = stage.agent.get(url)
    assert isinstance(departure, Departure)
    return departure.parameters["response"]


def _userinfo(stage: Stage) -> str:
    bearer = {"Authorization": f"Bearer {stage.tokens.access_token}"}
    return stage.house.http().get("/oauth/userinfo", headers=bearer).raise_for_status().text


def _request_object(stage: Stage) -> str:
    asked = stage.client.authorization_parameters(prompt="none")
    made = {"iss": stage.client.client_id, "aud": stage.client.issuer, "jti": f"r-{asked['state']}"}
    return signed({**asked, **made, "iat": stage.now, "exp": stage.now + 60})


def _proof(stage: Stage) -> str:
    prover = Prover(stage.client.issuer, stage.house.clock, key=made_once("ES256"))
    about: dict[str, Any] = {"iss": stage.client.client_id, "sub": stage.client.client_id}
    return prover.proof(
        "POST", "/oauth/token", **about, aud=stage.client.issuer, exp=stage.now + 60
    )


KINDS: dict[str, Callable[[Stage], str]] = {
    "ID token": lambda stage: stage.tokens.id_token,
    "access token": lambda stage: stage.tokens.access_token,
    "logout token": lambda stage: stage.logout_token,
    "signed response": _jarm,
    "signed userinfo": _userinfo,
    "client assertion": lambda stage: stage.client.assertion(),
    "request object": _request_object,
    "DPoP proof": _proof,
}


# --- where something is taken -----------------------------------------------------------------


def _posted(stage: Stage, path: str, *, proof: str | None = None, **form: str) -> httpx.Response:
    """By the client, well authenticated unless ``form`` says otherwise."""
    mine = {} if "client_assertion" in form else asserting(stage.client.assertion())
    headers = {} if proof is None else {"DPoP": proof}
    return stage.house.http().post(path, data={**mine, **form}, headers=headers)


def _at_userinfo(stage: Stage, token: str) -> bool:
    bearer = {"Authorization": f"Bearer {token}"}
    return stage.house.http().get("/oauth/userinfo", headers=bearer).is_success


def _at_introspection(stage: Stage, token: str) -> bool:
    told: bool = _posted(stage, "/oauth/introspect", token=token).json()["active"]
    return told


def _as_a_hint(stage: Stage, token: str) -> bool:
    url = stage.client.authorization_url(prompt="none", id_token_hint=token)
    departure = stage.agent.get(url)
    assert isinstance(departure, Departure)
    return "code" in departure.parameters


def _as_a_hint_at_the_end(stage: Stage, token: str) -> bool:
    # Where nobody is signed in, only an ID token leads back to the client at once.
    url = logout_url(stage.client, id_token_hint=token, post_logout_redirect_uri=BACK)
    return isinstance(stage.house.browser().get(url), Departure)


def _for_exchange(stage: Stage, token: str) -> bool:
    asked = {"subject_token": token, "subject_token_type": ACCESS_TOKEN, "audience": API}
    return _posted(stage, "/oauth/token", grant_type=EXCHANGE, scope="orders", **asked).is_success


def _as_an_assertion(stage: Stage, token: str) -> bool:
    answer = _posted(stage, "/oauth/introspect", token="x", **asserting(token))
    return answer.is_success


def _as_a_request(stage: Stage, token: str) -> bool:
    # What is missing in it stands beside it: only its being no request can be wrong.
    asked = {**stage.client.authorization_parameters(prompt="none"), "request": token}
    answer = stage.agent.client.get("/oauth/authorize", params=asked)
    return "code=" in answer.headers.get("Location", "")


def _as_a_pushed_request(stage: Stage, token: str) -> bool:
    beside = stage.client.authorization_parameters(prompt="none")
    return _posted(stage, "/oauth/par", **beside, request=token).status_code == 201


def _as_a_proof(stage: Stage, token: str) -> bool:
    code, pending = stage.client.authorization_code(
        stage.agent.get(stage.client.authorization_url(prompt="none"))  # type: ignore[arg-type]
    )
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": pending.redirect_uri}
    form["code_verifier"] = pending.verifier or ""
    return _posted(stage, "/oauth/token", proof=token, **form).is_success


PLACES: dict[str, tuple[str, Callable[[Stage, str], bool]]] = {
    "userinfo": ("access token", _at_userinfo),
    "introspection": ("access token", _at_introspection),
    "id_token_hint": ("ID token", _as_a_hint),
    "id_token_hint at logout": ("ID token", _as_a_hint_at_the_end),
    "subject_token": ("access token", _for_exchange),
    "client_assertion": ("client assertion", _as_an_assertion),
    "request": ("request object", _as_a_request),
    "request, pushed": ("request object", _as_a_pushed_request),
    "DPoP": ("DPoP proof", _as_a_proof),
}


@pytest.mark.parametrize("place", PLACES)
def test_each_place_takes_one_kind_alone(stage: Stage, place: str) -> None:
    wanted, takes = PLACES[place]
    taken = {kind for kind, make in KINDS.items() if takes(stage, make(stage))}
    assert taken == {wanted}


def test_every_kind_is_what_it_says(stage: Stage) -> None:
    """The table above is about real ones: each is a JWT that somebody signed."""
    for kind, make in KINDS.items():
        token = make(stage)
        assert header_of(token)["alg"] == "ES256" or kind == "access token", kind
        assert payload_of(token), kind
