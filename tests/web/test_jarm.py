"""JARM: the whole authorization response in one signed JWT."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.helpers.house import CALLBACK, House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import sign_in
from tests.helpers.user_agent import Departure
from tests.oidc.desk import header_of
from tests.web.walking import enter, gone, newcomer

MODES = {
    "jwt": ("code", "query"),
    "query.jwt": ("code", "query"),
    "fragment.jwt": ("code", "fragment"),
    "form_post.jwt": ("code", "form"),
    "jwt of a hybrid flow": ("code id_token", "fragment"),
}


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(
        consent="never",
        response_types=["code", "code id_token"],
        grant_types=["authorization_code", "implicit"],
    )


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


def sealed_in(departure: Departure, where: str) -> str:
    """The one parameter that came, and where it came; nothing else came anywhere."""
    parts = urlsplit(departure.url)
    found = {
        "query": {name: values[0] for name, values in parse_qs(parts.query).items()},
        "fragment": {name: values[0] for name, values in parse_qs(parts.fragment).items()},
        "form": dict(departure.form or {}),
    }
    assert found.pop(where).keys() == {"response"}
    assert not any(found.values())
    return departure.parameters["response"]


def opened(house: House, client: RelyingParty, response: str, algorithm: str) -> dict[str, Any]:
    """What the JWT says, checked as JARM section 2.4 has it."""
    keys = KeySet.import_key_set(client.http.get("/oauth/jwks").json())
    token = jwt.decode(response, keys, algorithms=[algorithm])
    claims = dict(token.claims)
    now = house.clock().timestamp()
    assert claims.pop("iss") == client.issuer
    assert claims.pop("aud") == client.client_id
    assert now < claims.pop("exp") <= now + 600
    return claims


@pytest.mark.parametrize("mode", MODES)
def test_a_code_comes_signed(town: House, shop: RelyingParty, alice: Person, mode: str) -> None:
    response_type, where = MODES[mode]
    url = shop.authorization_url(
        response_type=response_type, response_mode=mode.split(" ", maxsplit=1)[0]
    )
    departure = sign_in(town.browser(), url, username=alice.email, password=alice.password)
    said = opened(town, shop, sealed_in(departure, where), "RS256")
    wanted = {"code", "state", "session_state"} | (
        {"id_token"} if "id_token" in response_type else set()
    )
    assert said.keys() == wanted
    pending = shop.pending[said["state"]]
    assert shop.exchange(said["code"], pending).claims["sub"] == alice.id


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"])
def test_an_error_comes_signed(town: House, shop: RelyingParty, mode: str) -> None:
    url = shop.authorization_url(response_mode=mode, prompt="none")
    departure = gone(town.browser().get(url))
    assert departure.url.startswith(CALLBACK)
    said = opened(town, shop, sealed_in(departure, MODES[mode][1]), "RS256")
    assert said["error"] == "login_required"
    assert said["state"] in shop.pending
    assert said.keys() == {"error", "error_description", "state", "session_state"}


@pytest.mark.parametrize("algorithm", ["ES256", "PS256"])
def test_by_the_algorithm_that_was_registered(town: House, algorithm: str) -> None:
    client = town.client(authorization_signed_response_alg=algorithm)
    departure = gone(
        town.browser().get(client.authorization_url(response_mode="jwt", prompt="none"))
    )
    response = departure.parameters["response"]
    assert header_of(response)["alg"] == algorithm
    assert opened(town, client, response, algorithm)["error"] == "login_required"


def test_no_token_in_a_query_even_so(town: House, shop: RelyingParty) -> None:
    url = shop.authorization_url(response_type="code id_token", response_mode="query.jwt")
    departure = gone(town.browser().get(url))
    assert parse_qs(urlsplit(departure.url).fragment)["error"] == ["invalid_request"]


@pytest.mark.parametrize("mode", ["jwt", "form_post.jwt"])
def test_sent_twice_it_is_answered_the_same(
    town: House, shop: RelyingParty, alice: Person, mode: str
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url(response_mode=mode))
    first, second = (gone(enter(agent, page, alice)) for _ in range(2))
    assert first.parameters["response"] == second.parameters["response"]
    again = agent.get(page.url)  # and looked at once more, it is known to have been granted
    assert not isinstance(again, Departure)
    assert "signed in" in again.document.text.lower()
