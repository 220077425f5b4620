"""Names and secrets that are made by the thousand: in the order of time, and nothing else known."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from idp.models import new_id_at
from idp.secrecy import digest, filed, new_secret, new_secret_at, stamp
from tests.helpers.clock import NOON

TIMES = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC),
    NOON,
    NOON + timedelta(milliseconds=63),
    NOON + timedelta(days=1),
    datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
    datetime(4147, 8, 1, tzinfo=UTC),
]
COLLATIONS = {"bytes": str, "words": str.casefold}
"""How databases sort: both ways it is the order of time."""


@pytest.mark.parametrize("key", COLLATIONS.values(), ids=COLLATIONS)
@pytest.mark.parametrize(
    "made",
    [stamp, new_id_at, new_secret_at, lambda at: filed(new_secret_at(at))],
    ids=["a stamp", "an id", "a secret", "what is stored of a secret"],
)
def test_what_is_made_later_comes_later(made, key):
    found = [made(at) for at in TIMES]
    assert sorted(found, key=key) == found


def test_an_id_has_the_form_of_every_other():
    for at in TIMES:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", new_id_at(at))


def test_no_two_are_alike_and_all_but_the_stamp_is_random():
    ids = {new_id_at(NOON) for _ in range(1000)}
    assert len(ids) == 1000
    assert {len({one[place] for one in ids}) for place in range(10)} == {1}
    assert min(len({one[place] for one in ids}) for place in range(10, 22)) > 50


def test_a_secret_has_256_bits_beside_the_stamp_and_198_of_its_digest_are_kept():
    secret = new_secret_at(NOON)
    assert re.fullmatch(r"[A-Za-z0-9_-]{53}", secret)
    assert filed(secret) == stamp(NOON) + digest(secret)[:33]
    assert len(filed(secret)) == len(digest(secret)) == 43
    assert secret[10:] not in filed(secret)
    assert len({new_secret_at(NOON)[10:] for _ in range(1000)}) == 1000


OTHERS = {
    "a secret of another kind": new_secret(),
    "none": "",
    "short": "x",
    "one too short": "0" * 52,
    "one too long": "0" * 54,
    # What a stranger may send as one: none of it goes to the database as it is.
    "other letters": "x" * 53,
    "NUL": "\0" + "0" * 52,
    "a line end": "0" * 52 + "\n",
    "not ASCII": "é" * 53,
}


@pytest.mark.parametrize("secret", OTHERS.values(), ids=OTHERS)
def test_of_any_other_the_whole_digest_is_kept(secret):
    assert filed(secret) == digest(secret)


def test_another_stamp_before_it_is_another_secret():
    secret = new_secret_at(NOON)
    moved = stamp(NOON + timedelta(days=1)) + secret[10:]
    assert filed(moved)[10:] != filed(secret)[10:]
    assert filed(secret[10:]) != filed(secret)
