"""OP Implicit: an ID token, and with it an access token, from the authorization endpoint."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conformance.conftest import ALL_SCOPES, SignIn
from tests.conformance.test_basic import ID_TOKEN, SCOPES, error_of
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty, TokenRefused
from tests.helpers.user_agent import Departure, UserAgent
from tests.web.walking import gone

TYPES = ("id_token", "id_token token")


@pytest.fixture(scope="module")
def spa(op: House) -> RelyingParty:
    """A client whose registration asks for the implicit flow."""
    return op.client(
        client_name="Implicit",
        scope=ALL_SCOPES,
        response_types=list(TYPES),
        grant_types=["implicit"],
        token_endpoint_auth_method="none",
    )


def asked(response_type: str, **changes: Any) -> dict[str, Any]:
    return {
        "response_type": response_type,
        "code_challenge": None,
        "code_challenge_method": None,
        **changes,
    }


def in_fragment(departure: Departure) -> dict[str, list[str]]:
    """What is there; asserts that nothing stands in the query."""
    assert urlsplit(departure.url).query == ""
    return parse_qs(urlsplit(departure.url).fragment)


def test_server_id_token(spa: RelyingParty, log_in: SignIn, alice: Person) -> None:
    departure = log_in(spa, **asked("id_token"))
    assert in_fragment(departure).keys() == {"id_token", "state", "iss", "session_state"}
    claims = spa.at_once(departure).claims
    assert claims["sub"] == alice.id
    assert claims.keys() <= ID_TOKEN


def test_server_id_token_token(spa: RelyingParty, log_in: SignIn, alice: Person) -> None:
    departure = log_in(spa, **asked("id_token token"))
    assert in_fragment(departure).keys() == {
        *("id_token", "access_token", "token_type", "expires_in", "scope", "state", "iss"),
        "session_state",
    }
    tokens = spa.at_once(departure)
    assert tokens.claims.keys() <= ID_TOKEN
    assert "at_hash" in tokens.claims
    assert (tokens.raw["token_type"], int(tokens.raw["expires_in"]) > 0) == ("Bearer", True)
    assert spa.userinfo(tokens.access_token)["sub"] == alice.id


@pytest.mark.parametrize("scope", [*SCOPES, "all"])
def test_scope(spa: RelyingParty, log_in: SignIn, scope: str) -> None:
    wanted = ALL_SCOPES if scope == "all" else f"openid {scope}"
    expected = {name for key, names in SCOPES.items() if scope in (key, "all") for name in names}
    # OIDC Core 5.4: without an access token there is no other place for the claims.
    alone = spa.at_once(log_in(spa, **asked("id_token", scope=wanted))).claims
    assert expected <= alone.keys()
    beside = spa.at_once(log_in(spa, **asked("id_token token", scope=wanted)))
    assert beside.claims.keys() <= ID_TOKEN
    assert spa.userinfo(beside.access_token).keys() == {"sub", *expected}


@pytest.mark.parametrize("response_type", TYPES)
def test_ensure_request_without_nonce_fails(
    spa: RelyingParty, agent: UserAgent, response_type: str
) -> None:
    url = spa.authorization_url(**asked(response_type, nonce=None))
    departure = gone(agent.get(url))
    assert in_fragment(departure)["error"] == ["invalid_request"]
    assert error_of(departure)["state"] in spa.pending


@pytest.mark.parametrize("response_type", TYPES)
def test_prompt_none_not_logged_in(spa: RelyingParty, agent: UserAgent, response_type: str) -> None:
    url = spa.authorization_url(**asked(response_type, prompt="none"))
    assert in_fragment(gone(agent.get(url)))["error"] == ["login_required"]


@pytest.mark.parametrize("response_type", TYPES)
def test_prompt_none_logged_in(
    spa: RelyingParty, log_in: SignIn, agent: UserAgent, response_type: str
) -> None:
    first = spa.at_once(log_in(spa, agent, **asked(response_type))).claims
    url = spa.authorization_url(**asked(response_type, prompt="none"))
    second = spa.at_once(gone(agent.get(url))).claims
    for claim in ("sub", "auth_time", "acr", "amr", "sid"):
        assert second[claim] == first[claim]


def test_a_query_is_no_place_for_a_token(spa: RelyingParty, agent: UserAgent) -> None:
    url = spa.authorization_url(**asked("id_token token", response_mode="query"))
    assert in_fragment(gone(agent.get(url)))["error"] == ["invalid_request"]


@pytest.mark.parametrize("response_type", [*TYPES, "code id_token"])
def test_it_is_off_for_a_client_that_did_not_register_it(
    rp: RelyingParty, agent: UserAgent, response_type: str
) -> None:
    departure = gone(agent.get(rp.authorization_url(response_type=response_type)))
    assert in_fragment(departure)["error"] == ["unauthorized_client"]


def test_the_access_token_dies_with_its_grant(
    op: House, spa: RelyingParty, log_in: SignIn, alice: Person
) -> None:
    tokens = spa.at_once(log_in(spa, **asked("id_token token")))
    assert spa.userinfo(tokens.access_token)
    answer = spa.post("/oauth/revoke", {"token": tokens.access_token})
    assert answer.status_code == 200
    with pytest.raises(TokenRefused) as dead:
        spa.userinfo(tokens.access_token)
    assert dead.value.error == "invalid_token"


def test_an_opaque_access_token(op: House, log_in: SignIn) -> None:
    spa = op.client(
        response_types=["id_token token"],
        grant_types=["implicit"],
        token_endpoint_auth_method="none",
        access_token_format="opaque",
    )
    tokens = spa.at_once(log_in(spa, **asked("id_token token")))
    assert "." not in tokens.access_token
    assert spa.userinfo(tokens.access_token)["sub"] == tokens.claims["sub"]


def test_no_refresh_token_ever_comes_this_way(op: House, log_in: SignIn) -> None:
    spa = op.client(
        response_types=["code", "id_token token"],
        grant_types=["authorization_code", "implicit", "refresh_token"],
    )
    departure = log_in(spa, **asked("id_token token", scope="openid offline_access"))
    assert "refresh_token" not in departure.parameters
    assert departure.parameters["scope"] == "openid"
