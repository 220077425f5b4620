"""What tokens say, wherever they say it: the same, and for as long as they are refreshed."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.helpers import base64url
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.step_up.conftest import Welcome
from tests.step_up.visit import Visit

SAID = ("acr", "amr", "auth_time")
OFFLINE = "openid offline_access"


def payload(token: str) -> dict[str, Any]:
    """What a JWT holds. Its signature is the API's business and none of these cases'."""
    found: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1]))
    return found


def introspected(client: RelyingParty, token: str) -> dict[str, Any]:
    """RFC 7662."""
    if "introspection_endpoint" not in client.metadata:
        pytest.skip("the issuer has no introspection")
    answer = client.post(client.metadata["introspection_endpoint"], {"token": token})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def said(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: claims.get(name) for name in SAID}


def stepped_up(visit: Visit) -> Tokens:
    mfa = visit.issuer.names.two_factors
    return visit.sign_in("password", "totp", acr_values=mfa, scope=OFFLINE)


def test_a_jwt_access_token_says_what_the_id_token_says(welcome: Welcome) -> None:
    """RFC 9068, 2.2.1; RFC 9470, 6.1."""
    tokens = stepped_up(welcome("totp"))
    if tokens.access_token.count(".") != 2:
        pytest.skip("access tokens are no JWTs here")
    assert said(payload(tokens.access_token)) == said(tokens.claims)


@pytest.mark.parametrize("role", ["plain", "opaque"])
def test_introspection_says_what_the_id_token_says(welcome: Welcome, role: str) -> None:
    """RFC 9470, 6.2."""
    visit = welcome("totp", role=role)
    tokens = stepped_up(visit)
    told = introspected(visit.client, tokens.access_token)
    assert told["active"] is True
    assert said(told) == said(tokens.claims)


def test_refreshing_repeats_how_and_when_she_signed_in(welcome: Welcome) -> None:
    """OIDC Core 12.2."""
    visit = welcome("totp")
    first = stepped_up(visit)
    visit.wait(2)
    refreshed = visit.client.refresh(first)
    assert said(refreshed.claims) == said(first.claims)
    assert said(introspected(visit.client, refreshed.access_token)) == said(first.claims)


def test_a_later_step_up_does_not_lift_the_tokens_from_before(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    weak = visit.sign_in("password", scope=OFFLINE)
    visit.wait(1)
    strong = visit.sign_in("totp", acr_values=visit.issuer.names.two_factors, scope=OFFLINE)
    assert said(strong.claims) != said(weak.claims)
    old = visit.client.refresh(weak)
    assert said(old.claims) == said(weak.claims)
    assert said(introspected(visit.client, old.access_token)) == said(weak.claims)
    assert said(visit.client.refresh(strong).claims) == said(strong.claims)


def test_a_later_sign_in_does_not_freshen_the_tokens_from_before(welcome: Welcome) -> None:
    visit = welcome()
    first = visit.sign_in("password", scope=OFFLINE)
    visit.wait(2)
    again = visit.sign_in("password", prompt="login", scope=OFFLINE)
    assert again.claims["auth_time"] > first.claims["auth_time"]
    assert visit.client.refresh(first).claims["auth_time"] == first.claims["auth_time"]
