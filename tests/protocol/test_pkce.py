"""PKCE: S256 and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.pkce import is_challenge, is_verifier, s256, verify

# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_example_of_the_specification_opens():
    assert s256(VERIFIER) == CHALLENGE
    assert verify(VERIFIER, CHALLENGE)


@pytest.mark.parametrize(
    ("verifier", "challenge"),
    [
        pytest.param("a" * 43, CHALLENGE, id="another verifier"),
        pytest.param(CHALLENGE, CHALLENGE, id="the challenge itself, as plain would"),
        pytest.param(VERIFIER, VERIFIER, id="a plain challenge"),
        pytest.param(VERIFIER + "\n", CHALLENGE, id="a line end"),
        pytest.param("", CHALLENGE, id="no verifier"),
        pytest.param(VERIFIER, "", id="no challenge"),
        pytest.param(VERIFIER, CHALLENGE + "=", id="padding"),
        pytest.param("ä" * 43, CHALLENGE, id="letters outside ASCII"),
    ],
)
def test_nothing_else_opens_it(verifier, challenge):
    assert not verify(verifier, challenge)


def test_a_short_verifier_does_not_open_its_own_challenge():
    assert not verify("a" * 42, s256("a" * 42))


@pytest.mark.parametrize(("length", "fits"), [(42, False), (43, True), (128, True), (129, False)])
def test_a_verifier_has_43_to_128_characters(length, fits):
    assert is_verifier("a" * length) is fits


@pytest.mark.parametrize(("length", "fits"), [(42, False), (43, True), (44, False)])
def test_a_challenge_has_43_characters(length, fits):
    assert is_challenge("a" * length) is fits


@pytest.mark.parametrize("character", ["+", "/", "=", "~", ".", " ", "\n", "ä"])
def test_a_challenge_is_base64url(character):
    assert not is_challenge("a" * 42 + character)


@given(st.from_regex(r"[A-Za-z0-9\-._~]{43,128}", fullmatch=True))
def test_every_verifier_opens_its_own_challenge(verifier):
    assert is_challenge(s256(verifier))
    assert verify(verifier, s256(verifier))


@given(st.text(), st.text())
def test_any_text_is_judged_without_an_exception(verifier, challenge):
    assert verify(verifier, challenge) in (True, False)
