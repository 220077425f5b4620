"""Clients of the FAPI 2.0 plans: registered by one word, each with a DPoP key of its own."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.helpers.dpop import Prover
from tests.helpers.house import House, made_once
from tests.helpers.relying_party import RelyingParty
from tests.helpers.signed_requests import jwks_of
from tests.helpers.user_agent import Departure, UserAgent
from tests.web.walking import gone

PAR = "/oauth/par"
TOKEN = "/oauth/token"
USERINFO = "/oauth/userinfo"


def fapi_client(
    op: House, profile: str = "fapi2", *, algorithm: str = "ES256", **members: Any
) -> RelyingParty:
    """Registered by one word, and what that word leaves open."""
    party = op.client(
        **{
            "profile": profile,
            "dpop_bound_access_tokens": True,
            "jwks": jwks_of(algorithm),
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile offline_access",
            "consent": "never",
            **members,
        }
    )
    party.authentication = "private_key_jwt"
    party.signing_key, party.assertion_algorithm = made_once(algorithm), algorithm
    party.algorithms = ("PS256", "ES256", "EdDSA")
    party.prover = Prover(op.settings.issuer, op.clock)
    return party


def push(party: RelyingParty, **changes: object) -> httpx.Response:
    """An honest request, changed, at the PAR endpoint."""
    return party.post(PAR, party.authorization_parameters(**changes))


def going(party: RelyingParty, request_uri: str, **beside: str) -> str:
    """Where the browser is sent with it."""
    asked = {"client_id": party.client_id, "request_uri": request_uri, **beside}
    return f"/oauth/authorize?{urlencode(asked)}"


def pushed(party: RelyingParty, **changes: object) -> str:
    answer = push(party, **changes)
    assert answer.status_code == 201, answer.text
    return going(party, answer.json()["request_uri"])


def arrive(party: RelyingParty, agent: UserAgent, **changes: object) -> Departure:
    """Ask, by a browser that is signed in; where that ends."""
    return gone(agent.get(pushed(party, **changes)))


def redemption(party: RelyingParty, agent: UserAgent, **changes: object) -> dict[str, str]:
    """The form that redeems a fresh code."""
    code, pending = party.authorization_code(arrive(party, agent, **changes))
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": pending.redirect_uri,
        "code_verifier": str(pending.verifier),
    }


def error_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def is_refused_here(response: httpx.Response) -> bool:
    """A page of ours, and no redirect to anywhere."""
    return (response.status_code, "Location" in response.headers) == (400, False)


def without_assertion(party: RelyingParty, url: str, form: Mapping[str, str]) -> httpx.Response:
    """The client's name and nothing that would show it."""
    prover = party.prover
    assert prover is not None
    named = {**form, "client_id": party.client_id}
    return party.http.post(url, data=named, headers={"DPoP": prover.proof("POST", url)})
