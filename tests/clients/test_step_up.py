"""What is strong and recent enough, and how the rest is told what would be: both copies alike."""

from types import ModuleType
from typing import Any

import pytest

from clients.ledger import step_up, step_up_asgi

NOW = 1_900_000_000.0
MFA = "urn:idp:acr:mfa"
ONE = "urn:idp:acr:1fa"
ALIAS = "https://refeds.org/profile/mfa"

both = pytest.mark.parametrize("copy", [step_up, step_up_asgi], ids=["flask", "asgi"])

STRENGTH: dict[str, tuple[str | None, list[str], bool]] = {
    "one factor where one is asked for": (ONE, [ONE], True),
    "one factor where two are asked for": (ONE, [MFA], False),
    "two factors where two are asked for": (MFA, [MFA], True),
    "two factors where they must resist phishing": (MFA, ["phr"], False),
    "two factors as the second choice": (MFA, ["phr", MFA], True),
    "phishing-resistant where two are asked for": ("phr", [MFA], True),
    "in hardware where two are asked for": ("phrh", [MFA], True),
    "phishing-resistant where hardware is asked for": ("phr", ["phrh"], False),
    "an alias that was asked for": (ALIAS, [ALIAS], True),
    "an alias that was not": (ALIAS, [MFA], False),
    "a name nobody knows": ("strong, honestly", [ONE], False),
    "no acr": (None, [ONE], False),
    "no acr and nothing asked for": (None, [], True),
}


@both
@pytest.mark.parametrize(("acr", "asked", "enough"), STRENGTH.values(), ids=STRENGTH)
def test_strength(copy: ModuleType, acr: str | None, asked: list[str], enough: bool):
    claims = {"acr": acr} if acr else {}
    told = copy.shortfall(claims, acr_values=asked, max_age=None, now=NOW)
    assert told == (None if enough else "A stronger sign-in is needed.")


FRESHNESS: dict[str, tuple[Any, int | None, bool]] = {
    "just now": (NOW, 300, True),
    "as old as may be": (NOW - 300, 300, True),
    "older by what clocks may differ": (NOW - 310, 300, True),
    "older than that": (NOW - 311, 300, False),
    "in the future by what clocks may differ": (NOW + 10, 300, True),
    "in the future": (NOW + 11, 300, False),
    "unknown": (None, 300, False),
    "not a number": ("yesterday", 300, False),
    "not a number at all": (float("nan"), 300, False),
    "for ever": (float("inf"), 300, False),
    "old, and nobody minds": (0, None, True),
}


@both
@pytest.mark.parametrize(("auth_time", "max_age", "enough"), FRESHNESS.values(), ids=FRESHNESS)
def test_freshness(copy: ModuleType, auth_time: Any, max_age: int | None, enough: bool):
    claims = {"acr": ONE, "auth_time": auth_time}
    told = copy.shortfall(claims, acr_values=(), max_age=max_age, now=NOW)
    assert told == (None if enough else "A more recent sign-in is needed.")


@both
def test_both_at_once(copy: ModuleType):
    def told(acr: str, auth_time: float) -> str | None:
        claims = {"acr": acr, "auth_time": auth_time}
        told: str | None = copy.shortfall(claims, acr_values=["phr"], max_age=60, now=NOW)
        return told

    assert told("phr", NOW) is None
    assert told("phr", NOW - 100) == "A more recent sign-in is needed."
    assert told(MFA, NOW) == "A stronger sign-in is needed."


@both
def test_every_rung_holds_what_is_below_it(copy: ModuleType):
    for height, acr in enumerate(copy.LADDER):
        for depth, asked in enumerate(copy.LADDER):
            told = copy.shortfall({"acr": acr}, acr_values=[asked], max_age=None, now=NOW)
            assert (told is None) == (height >= depth), (acr, asked)


@both
def test_challenges(copy: ModuleType):
    assert copy.challenge() == 'Bearer realm="api"'
    assert copy.challenge("invalid_token", "It has expired.") == (
        'Bearer realm="api", error="invalid_token", error_description="It has expired."'
    )
    asked = copy.challenge("insufficient_user_authentication", "x", acr_values="a b", max_age=5)
    assert asked == (
        'Bearer realm="api", error="insufficient_user_authentication", '
        'error_description="x", acr_values="a b", max_age="5"'
    )


@both
def test_nothing_breaks_out_of_a_challenge(copy: ModuleType):
    assert copy.challenge("e", 'a"b\\c\r\nSet-Cookie: x=y\u20ac') == (
        'Bearer realm="api", error="e", error_description="abcSet-Cookie: x=y"'
    )
