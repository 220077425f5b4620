"""Which passwords will do."""

import unicodedata

import pytest

from idp.passwords import ALONE, BESIDE_ANOTHER, LONGEST, problem, requirement_for
from idp.passwords.rules import GUESSABLE, REPEATED, SEQUENCE, TOO_CLOSE, TOO_COMMON, TOO_LONG

SENTENCE = "vexed kiwi hums beneath the quiet bridge while nine otters read maps"
ABOUT = ("ann@example.com", "ann", "Ann Baker", "baker", "Gatehouse", "id.example.com")


def of_length(length: int) -> str:
    return (SENTENCE * (length // len(SENTENCE) + 1))[:length]


@pytest.mark.parametrize(
    ("length", "alone", "beside"),
    [
        (7, False, False),
        (8, False, True),
        (14, False, True),
        (15, True, True),
        (64, True, True),
        (65, True, True),
        (LONGEST, True, True),
    ],
)
def test_length(length, alone, beside) -> None:
    assert (problem(of_length(length), ALONE) is None) is alone
    assert (problem(of_length(length), BESIDE_ANOTHER) is None) is beside


def test_too_short_says_how_much_is_needed() -> None:
    assert problem("ten chars!", ALONE) == "Use at least 15 characters; this has 10."


def test_too_long_says_so() -> None:
    assert problem("x" * (LONGEST + 1), ALONE) == TOO_LONG == "Use at most 1,024 characters."


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(("word", "ok"), [("naïve café crêpe", True), ("çà et là né", False)])
def test_counts_code_points_after_composition(form, word, ok) -> None:
    assert (problem(unicodedata.normalize(form, word), ALONE) is None) is ok


def test_counts_code_points_and_not_bytes() -> None:
    assert problem("日本語の長い合言葉は覚えや", ALONE) is not None
    assert problem("日本語の長い合言葉は覚えやすい", ALONE) is None


@pytest.mark.parametrize(
    "password",
    [
        "paper lanterns drift at noon",
        "onlylowercaseletterswithoutspaces",
        "38142 90467 71530 22896",
        "    leading spaces count as well",
        "ВЕЧЕРНИЙ ТРАМВАЙ ЗВЕНИТ",
        "correct-horse-battery-staple",
        "ann, annex, planning, cannot",
    ],
)
def test_no_kind_of_character_is_demanded(password) -> None:
    assert problem(password, ALONE, words=ABOUT) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("qwerty123456789", TOO_COMMON),
        ("QWERTY123456789", TOO_COMMON),
        ("password12345678", TOO_COMMON),
        ("ann@example.com", TOO_CLOSE),
        ("ANN@EXAMPLE.COM", TOO_CLOSE),
        ("ann@example.com2024!", TOO_CLOSE),
        ("Ann Baker, Gatehouse", TOO_CLOSE),
        ("baker.baker.baker.12345", TOO_CLOSE),
        ("gatehouse gatehouse 1", TOO_CLOSE),
        ("aaaaaaaaaaaaaaaa", REPEATED),
        ("abcabcabcabcabcabc", REPEATED),
        ("Hi! Hi! Hi! Hi! Hi! ", REPEATED),
        ("abcdefghijklmnopq", SEQUENCE),
        ("zyxwvutsrqponmlk", SEQUENCE),
        ("абвгдежзийклмноп", SEQUENCE),
    ],
)
def test_what_is_tried_first_is_refused_with_the_reason(password, reason) -> None:
    assert problem(password, ALONE, words=ABOUT) == reason


@pytest.mark.parametrize(
    ("password", "reason"),
    [("iloveyou", TOO_COMMON), ("sunshine", TOO_COMMON), ("20122012", REPEATED)],
)
def test_short_ones_beside_a_second_step_are_held_to_the_list_too(password, reason) -> None:
    assert problem(password, BESIDE_ANOTHER) == reason


def test_guessable_without_a_name_for_it() -> None:
    assert problem("wednesday", BESIDE_ANOTHER) == GUESSABLE


def test_only_the_whole_password_is_compared_with_the_list() -> None:
    assert problem("my password hangs on a tall oak", ALONE) is None


def test_words_about_one_person_do_not_follow_another() -> None:
    assert problem("xanthippe", BESIDE_ANOTHER, words=["xanthippe"]) == TOO_CLOSE
    assert problem("xanthippe", BESIDE_ANOTHER) is None


@pytest.mark.parametrize(
    ("kinds", "required"),
    [
        ((), ALONE),
        (("password",), ALONE),
        (("password", "recovery_code"), ALONE),
        (("password", "totp"), BESIDE_ANOTHER),
        (("passkey",), BESIDE_ANOTHER),
        (("password", "recovery_code", "totp"), BESIDE_ANOTHER),
        (("something later",), BESIDE_ANOTHER),
    ],
    ids=lambda value: "+".join(value) or "nothing" if isinstance(value, tuple) else "",
)
def test_what_else_the_person_has_decides_the_length(kinds, required) -> None:
    assert requirement_for(kinds) == required
