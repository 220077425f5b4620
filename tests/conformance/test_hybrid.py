"""OP Hybrid: a code, and something with it, from the authorization endpoint."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conformance.conftest import ALL_SCOPES, SignIn
from tests.conformance.test_basic import ID_TOKEN, SCOPES
from tests.conformance.test_implicit import in_fragment
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty, TokenRefused
from tests.helpers.user_agent import UserAgent
from tests.web.walking import gone

TYPES = ("code id_token", "code token", "code id_token token")
COMES = {
    "code id_token": {"code", "id_token"},
    "code token": {"code", "access_token", "token_type", "expires_in", "scope"},
    "code id_token token": {
        *("code", "id_token", "access_token", "token_type", "expires_in", "scope"),
    },
}


@pytest.fixture(scope="module")
def hybrid(op: House) -> RelyingParty:
    """A client whose registration asks for every hybrid flow."""
    return op.client(
        client_name="Hybrid",
        scope=ALL_SCOPES,
        response_types=list(TYPES),
        grant_types=["authorization_code", "implicit"],
    )


@pytest.mark.parametrize("response_type", TYPES)
def test_server(hybrid: RelyingParty, log_in: SignIn, response_type: str) -> None:
    departure = log_in(hybrid, response_type=response_type, scope=ALL_SCOPES)
    assert in_fragment(departure).keys() == {
        *COMES[response_type],
        *("state", "iss", "session_state"),
    }
    at_once = hybrid.at_once(departure)
    assert at_once.claims.keys() <= ID_TOKEN
    tokens = hybrid.finish(departure)
    assert tokens.claims.keys() <= ID_TOKEN
    # OIDC Core 3.3.3.6: both ID tokens are about the same person, from the same issuer.
    for claim in ("iss", "sub", "aud", "nonce", "auth_time", "acr", "amr", "sid"):
        assert at_once.claims.get(claim, tokens.claims[claim]) == tokens.claims[claim]
    for one in filter(None, (at_once.raw.get("access_token"), tokens.access_token)):
        told = hybrid.userinfo(str(one))
        assert {name for names in SCOPES.values() for name in names} <= told.keys()


@pytest.mark.parametrize("response_type", TYPES)
def test_ensure_request_without_nonce(
    hybrid: RelyingParty, log_in: SignIn, agent: UserAgent, response_type: str
) -> None:
    changes: dict[str, Any] = {"response_type": response_type, "nonce": None}
    if "id_token" in response_type:
        departure = gone(agent.get(hybrid.authorization_url(**changes)))
        assert in_fragment(departure)["error"] == ["invalid_request"]
    else:
        assert "nonce" not in hybrid.finish(log_in(hybrid, agent, **changes)).claims


@pytest.mark.parametrize("response_type", TYPES)
def test_codereuse(hybrid: RelyingParty, log_in: SignIn, response_type: str) -> None:
    departure = log_in(hybrid, response_type=response_type)
    early = str(hybrid.at_once(departure).raw.get("access_token", ""))
    code, pending = hybrid.authorization_code(departure)
    late = hybrid.exchange(code, pending).access_token
    alive = [token for token in (early, late) if token]
    assert all(hybrid.userinfo(token) for token in alive)
    with pytest.raises(TokenRefused) as refused:
        hybrid.exchange(code, pending)
    assert refused.value.error == "invalid_grant"
    # What came through the browser belongs to the same grant, and goes with it.
    for token in alive:
        with pytest.raises(TokenRefused) as dead:
            hybrid.userinfo(token)
        assert dead.value.error == "invalid_token"


@pytest.mark.parametrize("response_type", TYPES)
def test_order_of_response_type(hybrid: RelyingParty, log_in: SignIn, response_type: str) -> None:
    turned = " ".join(reversed(response_type.split()))
    assert COMES[response_type] < log_in(hybrid, response_type=turned).parameters.keys()


def test_user_rejects(op: House, log_in: SignIn, agent: UserAgent) -> None:
    client = op.client(
        response_types=["code id_token"], grant_types=["authorization_code", "implicit"]
    )
    parameters = client.authorization_parameters(response_type="code id_token", prompt="none")
    log_in(op.client(), agent)
    departure = gone(agent.get(f"/oauth/authorize?{urlencode(parameters)}"))
    fragment = in_fragment(departure)
    assert (fragment["error"], fragment["state"]) == (["consent_required"], [parameters["state"]])


def test_pkce_is_needed_here_as_well(hybrid: RelyingParty, agent: UserAgent) -> None:
    url = hybrid.authorization_url(
        response_type="code id_token", code_challenge=None, code_challenge_method=None
    )
    assert in_fragment(gone(agent.get(url)))["error"] == ["invalid_request"]
