"""Recovery codes: single use, ownership, regeneration, and forgiving input."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from idp.assurance import Offer, Trait
from idp.factors.base import Enrolled, Factor, Proof, Refused, Task, Tools
from idp.factors.recovery_code import RecoveryCode, grouped, parse, remaining, running_low
from idp.models import Credential, User, db, new_id
from tests.factors.race import Racetrack
from tests.factors.storage import KEY, add_person
from tests.factors.verdicts import reason
from tests.helpers.clock import NOON

POSSESSION = frozenset({Trait.POSSESSION})
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODES = st.text(ALPHABET, min_size=24, max_size=24)


@pytest.fixture
def factor(tools: Tools) -> RecoveryCode:
    return RecoveryCode(tools)


def issue(factor: RecoveryCode, user: User) -> list[str]:
    """Ten new codes, committed."""
    done = factor.finish_enrolment(user, {}, {}, NOON)
    assert isinstance(done, Enrolled)
    db.session.commit()
    return list(done.show_once["codes"])


def judge(factor: RecoveryCode, user: User | None, typed: str) -> Proof | Refused:
    verdict = factor.verify(user, {}, {"recovery_code": typed}, NOON)
    db.session.commit()
    return verdict


def credentials_of(user: User) -> list[Credential]:
    return list(db.session.scalars(select(Credential).where(Credential.user_id == user.id)))


def test_is_a_factor(tools: Tools) -> None:
    factor: Factor = RecoveryCode(tools)
    assert (factor.name, factor.can_prove, factor.enrolable) == (
        "recovery_code",
        POSSESSION,
        False,
    )
    assert factor.begin(None, Task("t"), NOON).public == {}


def test_ten_codes_of_120_bits_shown_once(factor: RecoveryCode, alice: User) -> None:
    done = factor.finish_enrolment(alice, {}, {}, NOON)
    assert isinstance(done, Enrolled)
    codes = done.show_once["codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(f"([{ALPHABET}]{{4}}-){{5}}[{ALPHABET}]{{4}}", code) for code in codes)
    assert done.proof is None
    assert done.credential in credentials_of(alice)


def test_codes_are_stored_hashed(factor: RecoveryCode, alice: User) -> None:
    codes = issue(factor, alice)
    table = db.session.execute(select(Credential.__table__)).all()
    stored = " ".join(str(value) for row in table for value in row)
    assert len(table) == 10
    assert all(code not in stored and code.replace("-", "") not in stored for code in codes)


def test_proof_is_a_possession_and_says_how_many_are_left(
    factor: RecoveryCode, alice: User
) -> None:
    codes = issue(factor, alice)
    proof = judge(factor, alice, codes[3])
    used = [one for one in credentials_of(alice) if one.used_at]
    assert [one.used_at for one in used] == [NOON]
    assert proof == Proof(
        alice.id,
        used[0].id,
        POSSESSION,
        ("recovery",),
        {"remaining": 9},
        notice="A recovery code was used to sign in; 9 of 10 are left.",
    )


def test_each_works_once(factor: RecoveryCode, alice: User) -> None:
    codes = issue(factor, alice)
    assert [reason(judge(factor, alice, code)) for code in codes] == ["accepted"] * 10
    again = [judge(factor, alice, code) for code in codes]
    assert {reason(verdict) for verdict in again} == {"replayed"}
    assert all(isinstance(verdict, Refused) and verdict.counts for verdict in again)


def test_another_persons_code_is_wrong_and_stays_unused(
    factor: RecoveryCode, alice: User, bob: User
) -> None:
    code = issue(factor, alice)[0]
    issue(factor, bob)
    assert reason(judge(factor, bob, code)) == "wrong"
    assert reason(judge(factor, None, code)) == "wrong"
    assert reason(judge(factor, alice, code)) == "accepted"
    assert reason(judge(factor, bob, code)) == "wrong"


def test_new_codes_end_the_old_ones(factor: RecoveryCode, alice: User, bob: User) -> None:
    bobs = issue(factor, bob)[0]
    old = issue(factor, alice)
    judge(factor, alice, old[0])
    new = issue(factor, alice)
    assert {reason(judge(factor, alice, code)) for code in old} == {"wrong"}
    assert reason(judge(factor, alice, new[0])) == "accepted"
    assert reason(judge(factor, bob, bobs)) == "accepted"
    assert len(credentials_of(alice)) == 10


def test_old_codes_stand_until_the_new_ones_are_committed(
    factor: RecoveryCode, alice: User
) -> None:
    old = issue(factor, alice)
    factor.finish_enrolment(alice, {}, {}, NOON)
    db.session.rollback()
    assert reason(judge(factor, alice, old[0])) == "accepted"


@pytest.mark.parametrize(
    "typed", ["7K3M", "U" * 24, "0" * 23, "0" * 25, "0" * 5000, "é" * 24, "--", "\u0131" * 23]
)
def test_what_is_no_code_counts_as_a_guess(factor: RecoveryCode, alice: User, typed: str) -> None:
    verdict = judge(factor, alice, typed)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.counts, verdict.at_field) == (
        "malformed",
        True,
        "recovery_code",
    )


def test_an_empty_field_is_a_mishap(factor: RecoveryCode, alice: User) -> None:
    verdict = judge(factor, alice, " ")
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.counts) == ("missing", False)


@pytest.mark.parametrize(
    ("used", "left", "low"), [(0, 10, False), (6, 4, False), (7, 3, True), (10, 0, True)]
)
def test_few_left_is_said(
    factor: RecoveryCode, alice: User, used: int, left: int, low: bool
) -> None:
    for code in issue(factor, alice)[:used]:
        judge(factor, alice, code)
    credentials = credentials_of(alice)
    assert (remaining(credentials), running_low(credentials)) == (left, low)


def test_nobody_is_warned_who_never_had_any() -> None:
    assert (remaining([]), running_low([])) == (0, False)


def test_offered_last_and_only_while_some_are_left(factor: RecoveryCode, alice: User) -> None:
    def offer() -> Offer | None:
        return next(iter(factor.offers(alice, credentials_of(alice))), None)

    plain = Offer("recovery_code", POSSESSION, last_resort=True)
    assert factor.offers(None, []) == (plain,)
    assert offer() is None
    codes = issue(factor, alice)
    assert offer() == plain
    judge(factor, alice, codes[0])
    used = offer()
    assert used is not None
    assert used.last_used == NOON
    for code in codes[1:]:
        judge(factor, alice, code)
    assert offer() is None


LOOKALIKES = {"0": "0Oo", "1": "1IiLl"}
NOISE = st.text(" -\t\u00a0\u2013\u2212\u200b", max_size=3)


@st.composite
def spelled(draw: Callable[..., Any], code: str) -> str:
    """The code as somebody may type it."""
    typed = [draw(NOISE)]
    for char in code:
        same = LOOKALIKES.get(char, char + char.lower())
        typed += [draw(st.sampled_from(same)), draw(NOISE)]
    return "".join(typed)


@given(st.data(), CODES)
def test_however_it_is_spelled_it_is_the_same_code(data: st.DataObject, code: str) -> None:
    assert parse(data.draw(spelled(code))) == code


@given(CODES)
def test_what_is_shown_can_be_typed(code: str) -> None:
    assert parse(grouped(code)) == code


@given(st.text())
def test_whatever_is_typed_is_a_canonical_code_or_none(typed: str) -> None:
    code = parse(typed)
    assert code is None or (parse(code) == code and set(code) <= set(ALPHABET) and len(code) == 24)


@given(CODES, CODES)
def test_different_codes_stay_different(one: str, other: str) -> None:
    assert (parse(grouped(one)) == parse(grouped(other))) == (one == other)


def try_code(tools: Tools, argument: tuple[str, str]) -> bool:
    user_id, code = argument
    user = db.session.get_one(User, user_id)
    db.session.commit()
    verdict = RecoveryCode(tools).verify(user, {}, {"recovery_code": code}, NOON)
    return isinstance(verdict, Proof)


def test_race_for_one_code_has_one_winner(
    factor: RecoveryCode, track: Racetrack, raced_url: str
) -> None:
    people = [add_person(f"{new_id()}@example.com") for _ in range(5)]
    rounds = [(person.id, code) for person in people for code in issue(factor, person)]
    assert track.run(try_code, rounds, url=raced_url, key=KEY) == [1] * len(rounds)


def try_new_codes(tools: Tools, user_id: str) -> bool:
    user = db.session.get_one(User, user_id)
    db.session.commit()
    return isinstance(RecoveryCode(tools).finish_enrolment(user, {}, {}, NOON), Enrolled)


def test_race_of_two_regenerations_leaves_ten(
    factor: RecoveryCode, track: Racetrack, raced_url: str
) -> None:
    people = [add_person(f"{new_id()}@example.com") for _ in range(20)]
    for person in people:
        issue(factor, person)
    rounds = [person.id for person in people]
    assert track.run(try_new_codes, rounds, url=raced_url, key=KEY) == [2] * len(rounds)
    db.session.expire_all()
    assert [len(credentials_of(person)) for person in people] == [10] * len(people)
