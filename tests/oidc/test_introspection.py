"""Introspection and revocation: each for both kinds of token, each only for one's own."""

from typing import Any

import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.oidc.desk import Desk, on_both, payload_of

OFFLINE = ("openid", "offline_access")
INACTIVE = {"active": False}


def introspect(party: RelyingParty, token: str, **form: str) -> dict[str, Any]:
    response = party.post(party.metadata["introspection_endpoint"], {"token": token, **form})
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    answer: dict[str, Any] = response.json()
    return answer


def revoke(party: RelyingParty, token: str, **form: str) -> tuple[int, Any]:
    response = party.post(party.metadata["revocation_endpoint"], {"token": token, **form})
    return response.status_code, response.json().get("error")


@pytest.fixture(params=["jwt", "opaque"])
def shop(desk: Desk, request: pytest.FixtureRequest) -> RelyingParty:
    return desk.client("shop", access_token_format=request.param)


@pytest.fixture
def tokens(desk: Desk, shop: RelyingParty) -> Tokens:
    return desk.tokens(shop, scope=OFFLINE)


@on_both
def test_an_access_token_says_the_same_in_either_form(
    shop: RelyingParty, tokens: Tokens, clock: FakeClock
):
    now = int(clock().timestamp())
    answer = introspect(shop, tokens.access_token)
    jti = {"jti": answer["jti"]} if "jti" in answer else {}
    assert answer == {
        "active": True,
        "token_type": "Bearer",
        "iss": "https://id.example.com",
        "aud": "https://id.example.com",
        "sub": "ann",
        "client_id": "shop",
        "scope": "openid offline_access",
        "iat": now,
        "exp": now + 600,
        "acr": "urn:idp:acr:mfa",
        "amr": ["pwd", "otp", "mfa"],
        "auth_time": now,
        **jti,
    }
    if jti:
        assert jti["jti"] == payload_of(tokens.access_token)["jti"]


def test_a_refresh_token_is_described_without_being_used(
    shop: RelyingParty, tokens: Tokens, clock: FakeClock
):
    answer = introspect(shop, tokens.refresh_token)
    assert answer["active"] is True
    assert "token_type" not in answer
    assert answer["exp"] == int(clock().timestamp()) + 30 * 86400
    assert shop.refresh(tokens)
    assert introspect(shop, tokens.refresh_token) == INACTIVE


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_a_wrong_hint_changes_nothing(shop: RelyingParty, tokens: Tokens, hint: str):
    for token in (tokens.access_token, tokens.refresh_token):
        assert introspect(shop, token, token_type_hint=hint)["active"] is True
    for token in (tokens.access_token, tokens.refresh_token):
        assert revoke(shop, token, token_type_hint=hint) == (200, None)


def test_another_client_sees_nothing(desk: Desk, tokens: Tokens):
    rival = desk.client("rival")
    for token in (tokens.access_token, tokens.refresh_token):
        assert introspect(rival, token) == INACTIVE


def test_a_resource_server_sees_access_tokens_that_are_for_it(desk: Desk, shop: RelyingParty):
    api = desk.client("https://api.example.com")
    tokens = desk.tokens(shop, scope=OFFLINE, resource=("https://api.example.com",))
    assert introspect(api, tokens.access_token)["client_id"] == "shop"
    assert introspect(api, tokens.refresh_token) == INACTIVE


@on_both
def test_what_is_over_is_inactive(desk: Desk, shop: RelyingParty, tokens: Tokens, clock: FakeClock):
    clock.advance(minutes=10)
    assert introspect(shop, tokens.access_token) == INACTIVE
    assert introspect(shop, tokens.refresh_token)["active"] is True
    desk.disable_person()
    assert introspect(shop, tokens.refresh_token) == INACTIVE


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "e30.e30.e30"])
def test_what_nobody_knows_is_inactive_and_no_error_to_revoke(shop: RelyingParty, token: str):
    assert introspect(shop, token) == INACTIVE
    assert revoke(shop, token) == (200, None)


@on_both
def test_a_revoked_access_token_is_over_and_its_grant_goes_on(
    desk: Desk, shop: RelyingParty, tokens: Tokens
):
    other = desk.tokens(shop)
    assert revoke(shop, tokens.access_token) == (200, None)
    assert introspect(shop, tokens.access_token) == INACTIVE
    assert introspect(shop, other.access_token)["active"] is True
    assert introspect(shop, shop.refresh(tokens).access_token)["active"] is True


@on_both
def test_a_revoked_refresh_token_takes_its_access_tokens_along(
    desk: Desk, shop: RelyingParty, tokens: Tokens
):
    assert revoke(shop, tokens.refresh_token) == (200, None)
    assert introspect(shop, tokens.access_token) == INACTIVE
    assert introspect(shop, tokens.refresh_token) == INACTIVE
    assert [one.data["what"] for one in desk.events("token.revoked")] == ["refresh token"]


def test_revoking_twice_is_no_error(shop: RelyingParty, tokens: Tokens):
    for _ in range(2):
        assert revoke(shop, tokens.access_token) == (200, None)


@on_both
def test_nobody_revokes_what_is_anothers(desk: Desk, shop: RelyingParty, tokens: Tokens):
    rival = desk.client("rival")
    for token in (tokens.access_token, tokens.refresh_token):
        assert revoke(rival, token) == (400, "invalid_grant")
        assert introspect(shop, token)["active"] is True


def test_a_public_client_revokes_its_own(desk: Desk):
    party = desk.client("spa", token_endpoint_auth_method="none")
    tokens = desk.tokens(party)
    assert revoke(party, tokens.access_token) == (200, None)
    assert (
        desk.http.get(
            "/oauth/userinfo", headers={"Authorization": f"Bearer {tokens.access_token}"}
        ).status_code
        == 401
    )


def test_an_expired_jwt_is_no_error_to_revoke(desk: Desk, clock: FakeClock):
    party = desk.client()
    tokens = desk.tokens(party)
    clock.advance(hours=1)
    assert revoke(party, tokens.access_token) == (200, None)
