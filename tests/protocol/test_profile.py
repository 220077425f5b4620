"""What may be stored of a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.profile import profile_problems
from tests.protocol.test_claims import ALICE

FINE = [
    ("an address over two lines", {"address": {"formatted": "Ring 1\n1010 Wien"}}),
    ("no claim", {"email": None}),
    ("a year alone", {"birthdate": "1980"}),
    ("a birthday without a year", {"birthdate": "0000-02-29"}),
    ("a plain http homepage", {"website": "http://alice.example/"}),
    ("a name in another script", {"name#ja-Kana": "アリス"}),
    ("no groups", {"groups": []}),
]

WRONG = [
    ("an unknown claim", {"is_admin": True}, "leave it out"),
    ("a reserved claim", {"sub": "u1"}, "leave it out"),
    ("an assurance claim", {"acr": "phr"}, "leave it out"),
    ("a flag as text", {"email_verified": "true"}, "true or false"),
    ("a time as text", {"updated_at": "2026"}, "whole number"),
    ("a time as a flag", {"updated_at": True}, "whole number"),
    ("a name as a number", {"name": 7}, "must be text"),
    ("a name with a NUL", {"name": "a\x00"}, "must be text"),
    ("a name over lines", {"name": "a\nb"}, "must be text"),
    ("a name without end", {"name": "a" * 2001}, "must be text"),
    ("a script as homepage", {"website": "javascript:alert(1)"}, "complete URL"),
    ("data as picture", {"picture": "data:image/png;base64,AA"}, "complete URL"),
    ("a birthday in words", {"birthdate": "29 Feb 1980"}, "YYYY-MM-DD"),
    ("a month too many", {"birthdate": "1980-13-01"}, "YYYY-MM-DD"),
    ("an address as text", {"address": "Wien"}, "object"),
    ("an address with a part of its own", {"address": {"planet": "Earth"}}, "object"),
    ("groups as text", {"groups": "staff"}, "list of group names"),
    ("a group without a name", {"groups": [""]}, "list of group names"),
    ("a broken language", {"name#": "x"}, "language tag"),
]


def test_a_full_profile_is_fine():
    address = {"address": {"locality": "Wien", "country": "AT"}}
    assert profile_problems(ALICE | address) == ()


@pytest.mark.parametrize("profile", [pytest.param(c[1], id=c[0]) for c in FINE])
def test_may_be_stored(profile):
    assert profile_problems(profile) == ()


@pytest.mark.parametrize(("profile", "words"), [pytest.param(*c[1:], id=c[0]) for c in WRONG])
def test_may_not_be_stored(profile, words):
    [(name, sentence)] = profile_problems(profile)
    assert name in profile
    assert words in sentence


def test_every_problem_is_told_at_once():
    assert len(profile_problems({"name": 1, "email": 2, "groups": 3})) == 3


@given(st.dictionaries(st.sampled_from(list(ALICE)), st.none() | st.integers() | st.text()))
def test_any_profile_is_judged_without_an_exception(profile):
    assert {name for name, _ in profile_problems(profile)} <= set(profile)
