"""The shop hears from the provider that a session is over (Back-Channel Logout 1.0)."""

from typing import Any

import httpx
import pytest

from tests.clients.conftest import Shopper
from tests.clients.provider import Provider, merged, new_key, seconds
from tests.helpers.plain import PLAIN

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_token(provider: Provider, *, typ: str | None = "logout+jwt", **changes: Any) -> str:
    honest = {
        **{"iss": provider.issuer, "aud": "shop", "iat": seconds(), "exp": seconds() + 120},
        **{"jti": f"{seconds()}", "sub": "alice", "sid": "first", "events": {EVENT: {}}},
    }
    return provider.sign(merged(honest, changes), typ=typ)


def tell(shopper: Shopper, token: str | None) -> httpx.Response:
    """What the provider does: no cookie, no browser."""
    form = {} if token is None else {"logout_token": token}
    return httpx.post(f"{shopper.url}/backchannel-logout", data=form, trust_env=False, verify=PLAIN)


@pytest.fixture
def alice(provider: Provider, shopper: Shopper) -> Shopper:
    """She is signed in, in the session called "first"."""
    provider.id_token = {"sid": "first"}
    shopper.post("/sign-in")
    assert is_signed_in(shopper)
    return shopper


def is_signed_in(shopper: Shopper) -> bool:
    return any(label == "Account" for label, _ in shopper.get("/").links)


def test_the_session_is_over(provider: Provider, alice: Shopper) -> None:
    answer = tell(alice, logout_token(provider))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "You were signed out elsewhere" in alice.get("/").text
    assert not is_signed_in(alice)
    provider.id_token = {"sid": "second"}
    alice.post("/sign-in")
    assert is_signed_in(alice)


def test_without_sid_all_of_hers_are_over(provider: Provider, alice: Shopper) -> None:
    assert tell(alice, logout_token(provider, sid=None)).status_code == 200
    assert not is_signed_in(alice)


def test_another_session_is_another(provider: Provider, alice: Shopper) -> None:
    assert tell(alice, logout_token(provider, sid="second")).status_code == 200
    assert tell(alice, logout_token(provider, jti="j2", sid=None, sub="bob")).status_code == 200
    assert is_signed_in(alice)


FORGED: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "http://localhost:1"},
    "no issuer": {"iss": None},
    "for another": {"aud": "other"},
    "for nobody": {"aud": None},
    "expired": {"exp": 1},
    "never expires": {"exp": None},
    "old": {"iat": 1, "exp": 99999999999},
    "not made yet": {"iat": 99999999999, "exp": 99999999999},
    "no jti": {"jti": None},
    "about nobody": {"sid": None, "sub": None},
    "no event": {"events": None},
    "another event": {"events": {"http://example.com/event": {}}},
    "an event that is text": {"events": {EVENT: "yes"}},
    "with a nonce": {"nonce": "n"},
    "an ID token": {"typ": "JWT"},
    "an access token": {"typ": "at+jwt"},
    "no type": {"typ": None},
}


@pytest.mark.parametrize("lie", FORGED.values(), ids=FORGED)
def test_nobody_is_signed_out_by(provider: Provider, alice: Shopper, lie: dict[str, Any]) -> None:
    answer = tell(alice, logout_token(provider, **lie))
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert is_signed_in(alice)


def test_nobody_is_signed_out_by_what_the_provider_did_not_sign(
    provider: Provider, alice: Shopper
) -> None:
    published, provider.key = provider.key, new_key("one")
    forged = logout_token(provider)
    provider.key = published
    for token in (forged, None, "", "x", "a.b.c", forged.rpartition(".")[0] + "."):
        assert tell(alice, token).status_code == 400
    assert is_signed_in(alice)


def test_a_token_counts_once(provider: Provider, alice: Shopper) -> None:
    token = logout_token(provider)
    assert [tell(alice, token).status_code for _ in range(2)] == [200, 400]


def test_a_key_that_is_new_is_fetched(provider: Provider, alice: Shopper) -> None:
    provider.key = new_key("two")
    assert tell(alice, logout_token(provider)).status_code == 200
    assert not is_signed_in(alice)
