"""Which access tokens the ledger believes: by real keys, over real HTTP."""

import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from clients.ledger.access_tokens import (
    REFETCH_AFTER,
    AccessTokens,
    InvalidToken,
    ProviderUnavailable,
    fetch_json,
)
from tests.clients.provider import LEDGER, SECRETS, Provider, new_key, seconds
from tests.helpers import base64url
from tests.helpers.ports import free_port


def test_a_good_token_is_read(provider: Provider, tokens: AccessTokens):
    claims = tokens(provider.issue(acr="phr", auth_time=1234))
    assert (claims["sub"], claims["acr"], claims["auth_time"]) == ("alice", "phr", 1234)
    assert tokens(provider.issue(aud=LEDGER))["aud"] == LEDGER


def test_the_other_spelling_of_the_type(provider: Provider, tokens: AccessTokens):
    claims = dict(tokens(provider.issue()))
    assert tokens(provider.sign(claims, typ="application/AT+JWT")) == claims


def unsigned(claims: dict[str, Any], **header: Any) -> str:
    parts = ({"alg": "none", "typ": "at+jwt", **header}, claims)
    return ".".join(base64url.encode(json.dumps(part).encode()) for part in parts) + "."


CLAIMS: dict[str, dict[str, Any]] = {
    "of another issuer": {"iss": "http://localhost:1"},
    "without issuer": {"iss": None},
    "for somebody else": {"aud": "http://localhost:9002"},
    "for a list of others": {"aud": ["http://localhost:9002", "shop"]},
    "for nobody": {"aud": None},
    "for somebody whose name begins alike": {"aud": f"{LEDGER}/"},
    "expired": {"exp": 1},
    "without end": {"exp": None},
    "ending in a word": {"exp": "tomorrow"},
    "ending in true": {"exp": True},
    "ending never": {"exp": float("inf")},
    "issued in the future": {"iat": 9_999_999_999},
    "issued at no time": {"iat": None},
    "not to be used yet": {"nbf": 9_999_999_999},
    "about nobody": {"sub": None},
    "about a number": {"sub": 7},
    "issued to nobody": {"client_id": None},
    "without an identifier": {"jti": None},
    "bound to a key": {"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}},
}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS)
def test_a_token_that_says_the_wrong_thing(
    provider: Provider, tokens: AccessTokens, changes: dict[str, Any]
):
    with pytest.raises(InvalidToken):
        tokens(provider.issue(**changes))


Forge = Callable[[Provider, dict[str, Any]], str]


def by_public_key(provider: Provider, claims: dict[str, Any]) -> str:
    """The oldest trick: the public key, which everybody has, taken for a shared secret."""
    signed = unsigned(claims, alg="HS256", kid="one")[:-1]
    shared = provider.key.as_pem(private=False)
    return f"{signed}.{base64url.encode(hmac.digest(shared, signed.encode(), 'sha256'))}"


def with_own_key(provider: Provider, claims: dict[str, Any]) -> str:
    key = ECKey.generate_key("P-256", {"kid": "one"})
    header = {"alg": "ES256", "kid": "one", "typ": "at+jwt", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims, key)


def altered(provider: Provider, claims: dict[str, Any]) -> str:
    head, _, signature = provider.sign(claims, typ="at+jwt").split(".")
    body = base64url.encode(json.dumps({**claims, "sub": "mallory"}).encode())
    return f"{head}.{body}.{signature}"


FORGED: dict[str, Forge] = {
    "an ID token": lambda provider, claims: provider.sign(claims, typ="JWT"),
    "of no type": lambda provider, claims: provider.sign(claims, typ=None),
    "of a type that is a list": lambda provider, claims: unsigned(claims, typ=["at+jwt"]),
    "not signed": lambda provider, claims: unsigned(claims),
    "not signed, by a known key": lambda provider, claims: unsigned(claims, kid="one"),
    "signed by the public key": by_public_key,
    "signed by a key of its own": with_own_key,
    "altered": altered,
    "of an unknown key": lambda provider, claims: provider.sign(claims, typ="at+jwt", kid="two"),
    "of no key": lambda provider, claims: provider.sign(claims, typ="at+jwt", kid=None),
    "with an algorithm that is a list": lambda _, claims: unsigned(claims, alg=["ES256"]),
    "with a key that is an object": lambda _, claims: unsigned(claims, alg="ES256", kid={}),
    "with something critical": lambda provider, claims: unsigned(
        claims, alg="ES256", kid="one", crit=["x"], x=1
    ),
    "two dots": lambda *_: "..",
    "empty": lambda *_: "",
    "huge": lambda *_: "a" * 100_000,
    "in letters that are none": lambda *_: "\u0430.\u0430.\u0430",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_token_that_was_not_signed_as_one(provider: Provider, tokens: AccessTokens, forge: Forge):
    good = dict(tokens(provider.issue()))
    with pytest.raises(InvalidToken):
        tokens(forge(provider, good))


def nothing(*_: Any, **__: Any) -> dict[str, Any]:
    raise ProviderUnavailable("nobody there")


OFFLINE = AccessTokens("https://idp.example", LEDGER, clock=lambda: 0.0, fetch=nothing)


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){2}")))
def test_nothing_unheard_of_happens(token: str):
    with pytest.raises((InvalidToken, ProviderUnavailable)):
        OFFLINE(token)


class Moving:
    """A clock for the ledger alone: its keys age, the tokens do not."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return seconds() + self.ahead


def test_a_new_key_is_fetched_once_it_is_used(provider: Provider):
    clock = Moving()
    tokens = AccessTokens(provider.issuer, LEDGER, clock=clock)
    for _ in range(3):
        tokens(provider.issue())
    assert provider.fetched.count("/jwks") == 1
    provider.key = new_key("two")
    clock.ahead = REFETCH_AFTER + 1
    tokens(provider.issue())
    assert provider.fetched.count("/jwks") == 2


def test_made_up_keys_do_not_cost_a_request_each(provider: Provider, tokens: AccessTokens):
    tokens(provider.issue())
    for number in range(5):
        claims = {"sub": "x"}
        with pytest.raises(InvalidToken):
            tokens(provider.sign(claims, typ="at+jwt", kid=f"made up {number}"))
    assert provider.fetched.count("/jwks") == 1


def test_a_key_that_was_withdrawn_is_forgotten(provider: Provider):
    clock = Moving()
    tokens = AccessTokens(provider.issuer, LEDGER, clock=clock)
    old = provider.issue(exp=seconds() + 100_000)
    tokens(old)
    provider.key = new_key("two")
    clock.ahead = 3601
    with pytest.raises(InvalidToken):
        tokens(old)


def test_keys_of_a_kind_nobody_knows_are_left_out(provider: Provider):
    def fetch(url: str, **_: Any) -> dict[str, Any]:
        if url.endswith("openid-configuration"):
            return {"issuer": provider.issuer, "jwks_uri": "keys"}
        strange = [{"kty": "AKP", "kid": "x"}, "not a key", {"kty": "EC", "crv": "P-9"}]
        return {"keys": [*strange, provider.key.as_dict(private=False)]}

    tokens = AccessTokens(provider.issuer, LEDGER, clock=seconds, fetch=fetch)
    assert tokens(provider.issue())["sub"] == "alice"


def test_a_hiccup_at_the_provider_is_not_ours(provider: Provider):
    clock, answers = Moving(), True

    def fetch(url: str, **request: Any) -> dict[str, Any]:
        if not answers:
            raise ProviderUnavailable("nobody there")
        return fetch_json(url, **request)

    tokens = AccessTokens(provider.issuer, LEDGER, clock=clock, fetch=fetch)
    token = provider.issue(exp=seconds() + 100_000)
    tokens(token)
    answers, clock.ahead = False, 3601
    assert tokens(token)["sub"] == "alice"


def test_without_the_provider_nothing_is_known(provider: Provider):
    nowhere = f"http://localhost:{free_port()}"
    tokens = AccessTokens(nowhere, LEDGER, clock=seconds)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            tokens(provider.issue())


def test_metadata_of_another_issuer_is_not_used(provider: Provider):
    provider.metadata = {"issuer": "http://localhost:1"}
    tokens = AccessTokens(provider.issuer, LEDGER, clock=seconds)
    with pytest.raises(ProviderUnavailable):
        tokens(provider.issue())


def test_a_redirect_does_not_take_the_credentials_along(provider: Provider):
    with pytest.raises(ProviderUnavailable, match="303"):
        fetch_json(f"{provider.issuer}/authorize?redirect_uri=http://localhost:1&state=s")
    assert [sent["state"] for sent in provider.asked] == ["s"]


# --- opaque tokens ---


@pytest.fixture
def opaque(provider: Provider) -> Provider:
    provider.opaque = True
    return provider


def test_an_opaque_token_is_asked_about(opaque: Provider, tokens: AccessTokens):
    claims = tokens(opaque.issue(acr="phr", auth_time=1234))
    assert (claims["sub"], claims["acr"], claims["auth_time"]) == ("alice", "phr", 1234)


def test_the_answer_need_not_name_the_issuer(opaque: Provider, tokens: AccessTokens):
    opaque.introspected = {"iss": None, "jti": None}
    assert tokens(opaque.issue())["iss"] == opaque.issuer


ANSWERS: dict[str, dict[str, Any]] = {
    "ended": {"active": False},
    "perhaps": {"active": "true"},
    "nothing": {"active": None},
    "a refresh token": {"token_type": None},
    "bound to a key": {"token_type": "DPoP"},
    "bound to a certificate": {"cnf": {"x5t#S256": "x"}},
    "of another issuer": {"iss": "http://localhost:1"},
    "for somebody else": {"aud": "http://localhost:9002"},
    "for nobody": {"aud": None},
    "expired": {"exp": 1},
    "without end": {"exp": None},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_opaque_token_that_is_not_good(
    opaque: Provider, tokens: AccessTokens, answer: dict[str, Any]
):
    opaque.introspected = answer
    with pytest.raises(InvalidToken):
        tokens(opaque.issue())


def test_an_unknown_opaque_token(tokens: AccessTokens):
    with pytest.raises(InvalidToken):
        tokens("made-up")


def test_wrong_credentials_are_our_fault_not_the_tokens(opaque: Provider):
    tokens = AccessTokens(
        opaque.issuer, LEDGER, client_id=LEDGER, client_secret="wrong", clock=seconds
    )
    with pytest.raises(ProviderUnavailable, match="401"):
        tokens(opaque.issue())


def test_without_credentials_opaque_tokens_are_refused(opaque: Provider):
    with pytest.raises(InvalidToken):
        AccessTokens(opaque.issuer, LEDGER, clock=seconds)(opaque.issue())
    assert SECRETS[LEDGER] != SECRETS["shop"]
