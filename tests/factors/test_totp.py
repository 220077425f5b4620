"""TOTP: drift, replay, enrolment, and what two processes may not both have."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from idp.assurance import Offer, Trait
from idp.factors.base import Enrolled, Factor, Proof, Refused, Task, Tools
from idp.factors.totp import Totp
from idp.models import Credential, User, db, new_id
from tests.factors.race import Racetrack
from tests.factors.storage import KEY, add_person, make_tools
from tests.factors.verdicts import reason
from tests.helpers.clock import NOON

STEP = timedelta(seconds=30)
POSSESSION = frozenset({Trait.POSSESSION})


def code_at(seed: str, when: Any = NOON) -> str:
    return pyotp.TOTP(seed).at(when)


def seed_of(public: Mapping[str, Any]) -> str:
    return str(public["secret"]).replace(" ", "")


def enrol(totp: Totp, user: User, now: Any = NOON - 10 * STEP) -> str:
    """Set up an app, well before noon; returns its seed."""
    ceremony = totp.begin_enrolment(user, now)
    seed = seed_of(ceremony.public)
    done = totp.finish_enrolment(user, ceremony.secret, {"otp": code_at(seed, now)}, now)
    assert isinstance(done, Enrolled)
    db.session.commit()
    return seed


def credentials_of(user: User) -> list[Credential]:
    return list(db.session.scalars(select(Credential).where(Credential.user_id == user.id)))


@pytest.fixture
def totp(tools: Tools) -> Totp:
    return Totp(tools)


def judge(totp: Totp, user: User | None, code: str, now: Any = NOON) -> Proof | Refused:
    verdict = totp.verify(user, {}, {"otp": code}, now)
    db.session.commit()
    return verdict


def test_is_a_factor(tools: Tools) -> None:
    factor: Factor = Totp(tools)
    assert (factor.name, factor.can_prove, factor.enrolable) == ("totp", POSSESSION, True)
    assert factor.begin(None, Task("t"), NOON).public == {}


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [(-2, "wrong"), (-1, "accepted"), (0, "accepted"), (1, "accepted"), (2, "wrong")],
)
def test_app_clock_may_be_off_by_one_step(
    totp: Totp, alice: User, steps: int, verdict: str
) -> None:
    seed = enrol(totp, alice)
    assert reason(judge(totp, alice, code_at(seed, NOON + steps * STEP))) == verdict


def test_proof_is_a_possession_of_that_app(totp: Totp, alice: User) -> None:
    seed = enrol(totp, alice)
    credential = credentials_of(alice)[0]
    proof = judge(totp, alice, code_at(seed))
    assert proof == Proof(alice.id, credential.id, POSSESSION, ("otp",))
    assert credential.last_used_at == NOON


@pytest.mark.parametrize(
    ("first", "then", "later", "verdict"),
    [
        pytest.param(0, 0, 0, "replayed", id="the same code at once"),
        pytest.param(0, 0, 1, "replayed", id="the same code a step later, still within drift"),
        pytest.param(0, -1, 0, "replayed", id="an older code, never used itself"),
        pytest.param(1, 0, 0, "replayed", id="the present code after one from ahead"),
        pytest.param(1, 1, 1, "replayed", id="one from ahead, again when its time has come"),
        pytest.param(0, 1, 1, "accepted", id="the next code"),
        pytest.param(-1, 0, 0, "accepted", id="the present code after a late one"),
        pytest.param(0, 0, -120, "wrong", id="the same code, the clock an hour back"),
        pytest.param(0, -120, -120, "replayed", id="that hour's own code, the clock an hour back"),
    ],
)
def test_time_only_moves_on(
    totp: Totp, alice: User, first: int, then: int, later: int, verdict: str
) -> None:
    seed = enrol(totp, alice, NOON - timedelta(hours=3))
    assert reason(judge(totp, alice, code_at(seed, NOON + first * STEP))) == "accepted"
    again = judge(totp, alice, code_at(seed, NOON + then * STEP), NOON + later * STEP)
    assert reason(again) == verdict


def test_after_a_backward_jump_the_code_is_still_used_when_its_time_returns(
    totp: Totp, alice: User
) -> None:
    seed = enrol(totp, alice, NOON - timedelta(hours=3))
    code = code_at(seed)
    judge(totp, alice, code)
    judge(totp, alice, code, NOON - timedelta(hours=1))
    assert reason(judge(totp, alice, code)) == "replayed"


@pytest.mark.parametrize(
    "shape", ["{a}{b}", "{a} {b}", "{a}-{b}", " {a}{b}\n", "{a}\u00a0{b}", "{a}\u2013{b}", "wide"]
)
def test_what_people_and_keyboards_add_is_forgiven(totp: Totp, alice: User, shape: str) -> None:
    code = code_at(enrol(totp, alice))
    wide = code.translate({ord("0") + n: ord("\uff10") + n for n in range(10)})
    typed = wide if shape == "wide" else shape.format(a=code[:3], b=code[3:])
    assert reason(judge(totp, alice, typed)) == "accepted"


@pytest.mark.parametrize(
    "typed", ["12345", "1234567", "12345a", "½23456", "١٢٣٤٥٦", "1" * 5000, "-"]
)
def test_what_is_no_code_counts_as_a_guess(totp: Totp, alice: User, typed: str) -> None:
    enrol(totp, alice)
    verdict = judge(totp, alice, typed)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.counts, verdict.at_field) == ("malformed", True, "otp")


@pytest.mark.parametrize("answer", [{}, {"otp": ""}, {"otp": "  "}])
def test_an_empty_field_is_a_mishap(totp: Totp, alice: User, answer: dict[str, str]) -> None:
    verdict = totp.verify(alice, {}, answer, NOON)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.counts) == ("missing", False)


def test_another_persons_code_is_wrong_and_stays_unused(totp: Totp, alice: User, bob: User) -> None:
    seed = enrol(totp, alice)
    enrol(totp, bob)
    assert reason(judge(totp, bob, code_at(seed))) == "wrong"
    assert reason(judge(totp, None, code_at(seed))) == "wrong"
    assert reason(judge(totp, alice, code_at(seed))) == "accepted"


def test_a_wrong_code_counts(totp: Totp, alice: User) -> None:
    seed = enrol(totp, alice)
    wrong = f"{(int(code_at(seed)) + 1) % 1_000_000:06}"
    verdict = judge(totp, alice, wrong)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.counts) == ("wrong", True)


def test_a_lost_key_refuses_and_the_app_stays_asked_for(totp: Totp, alice: User) -> None:
    seed = enrol(totp, alice)
    other = Totp(make_tools(Fernet.generate_key().decode()))
    verdict = judge(other, alice, code_at(seed))
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.counts) == ("unreadable_seed", False)
    assert other.offers(alice, credentials_of(alice)) != ()


def test_the_seed_is_never_stored_readable(totp: Totp, alice: User) -> None:
    ceremony = totp.begin_enrolment(alice, NOON)
    seed = seed_of(ceremony.public)
    assert len(seed) == 32
    assert seed not in str(ceremony.secret)
    enrol(totp, alice)
    stored = credentials_of(alice)[0]
    assert stored.data.keys() == {"seed"}
    assert re.fullmatch(r"2\.[\w-]+", stored.data["seed"])


def test_setup_shows_a_link_a_text_and_a_square(alice: User) -> None:
    totp = Totp(make_tools(site_name="Acme: ID"))
    public = totp.begin_enrolment(alice, NOON).public
    link = urlsplit(public["uri"])
    query = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert (link.scheme, link.netloc) == ("otpauth", "totp")
    assert unquote(link.path) == "/Acme ID:alice@example.com"
    assert query == {"secret": seed_of(public), "issuer": "Acme ID"}
    assert re.fullmatch(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", public["secret"])


def test_the_square_is_named_white_and_free_of_styles(totp: Totp, alice: User) -> None:
    kind, _, data = totp.begin_enrolment(alice, NOON).public["qr"].partition(",")
    markup = unquote(data)
    assert kind == "data:image/svg+xml;charset=utf-8"
    assert "viewBox" in markup.partition(">")[0]
    assert "<title>QR code for your authenticator app</title>" in markup
    assert 'fill="#fff"' in markup.replace("'", '"')
    assert "style=" not in markup


def test_an_app_counts_only_once_it_has_shown_a_code(totp: Totp, alice: User) -> None:
    ceremony = totp.begin_enrolment(alice, NOON)
    code = code_at(seed_of(ceremony.public))
    assert credentials_of(alice) == []
    assert reason(judge(totp, alice, code)) == "wrong"
    refused = totp.finish_enrolment(alice, ceremony.secret, {"otp": "000000"}, NOON)
    assert reason(refused) == "wrong"
    assert credentials_of(alice) == []
    done = totp.finish_enrolment(alice, ceremony.secret, {"otp": code}, NOON)
    assert isinstance(done, Enrolled)
    assert done.proof == Proof(alice.id, done.credential.id, POSSESSION, ("otp",))
    assert credentials_of(alice) == [done.credential]


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_the_code_of_the_setup_is_used(totp: Totp, alice: User, steps: int) -> None:
    ceremony = totp.begin_enrolment(alice, NOON)
    seed = seed_of(ceremony.public)
    code = code_at(seed, NOON + steps * STEP)
    totp.finish_enrolment(alice, ceremony.secret, {"otp": code}, NOON)
    assert reason(judge(totp, alice, code)) == "replayed"
    later = NOON + (steps + 1) * STEP
    assert reason(judge(totp, alice, code_at(seed, later), later)) == "accepted"


def test_the_old_app_stands_until_the_new_one_has_shown_a_code(totp: Totp, alice: User) -> None:
    old = enrol(totp, alice)
    ceremony = totp.begin_enrolment(alice, NOON)
    totp.finish_enrolment(alice, ceremony.secret, {"otp": "000000"}, NOON)
    assert reason(judge(totp, alice, code_at(old))) == "accepted"

    now = NOON + STEP
    answer = {"otp": code_at(seed_of(ceremony.public), now)}
    totp.finish_enrolment(alice, ceremony.secret, answer, now)
    db.session.rollback()
    assert reason(judge(totp, alice, code_at(old, now), now)) == "accepted"

    totp.finish_enrolment(alice, ceremony.secret, answer, now)
    db.session.commit()
    later = now + STEP
    assert reason(judge(totp, alice, code_at(old, later), later)) == "wrong"
    assert len(credentials_of(alice)) == 1


def test_the_same_setup_twice_leaves_one_app(totp: Totp, alice: User) -> None:
    ceremony = totp.begin_enrolment(alice, NOON)
    answer = {"otp": code_at(seed_of(ceremony.public))}
    totp.finish_enrolment(alice, ceremony.secret, answer, NOON)
    db.session.commit()
    again = totp.finish_enrolment(alice, ceremony.secret, answer, NOON)
    assert reason(again) == "already_enrolled"
    assert len(credentials_of(alice)) == 1


def test_somebody_elses_setup_cannot_be_finished(totp: Totp, alice: User, bob: User) -> None:
    ceremony = totp.begin_enrolment(alice, NOON)
    answer = {"otp": code_at(seed_of(ceremony.public))}
    for secret in (ceremony.secret, {}, {"pending": "nonsense"}):
        assert reason(totp.finish_enrolment(bob, secret, answer, NOON)) == "not_pending"
    assert credentials_of(bob) == []


def test_offered_to_who_has_an_app_and_while_nobody_is_known(totp: Totp, alice: User) -> None:
    assert totp.offers(None, []) == (Offer("totp", POSSESSION),)
    assert totp.offers(alice, []) == ()
    enrol(totp, alice, NOON)
    assert totp.offers(alice, credentials_of(alice)) == (Offer("totp", POSSESSION, last_used=NOON),)


def try_code(tools: Tools, argument: tuple[str, str]) -> bool:
    user_id, code = argument
    user = db.session.get_one(User, user_id)
    db.session.commit()
    return isinstance(Totp(tools).verify(user, {}, {"otp": code}, NOON), Proof)


def try_setup(tools: Tools, argument: tuple[str, Mapping[str, Any], str]) -> bool:
    user_id, secret, code = argument
    user = db.session.get_one(User, user_id)
    db.session.commit()
    done = Totp(tools).finish_enrolment(user, secret, {"otp": code}, NOON)
    return isinstance(done, Enrolled)


def test_race_for_one_code_has_one_winner(totp: Totp, track: Racetrack, raced_url: str) -> None:
    people = [add_person(f"{new_id()}@example.com") for _ in range(40)]
    rounds = [(person.id, code_at(enrol(totp, person))) for person in people]
    assert track.run(try_code, rounds, url=raced_url, key=KEY) == [1] * len(rounds)


def test_race_of_one_setup_makes_one_app(totp: Totp, track: Racetrack, raced_url: str) -> None:
    people = [add_person(f"{new_id()}@example.com") for _ in range(20)]
    rounds = []
    for person in people:
        ceremony = totp.begin_enrolment(person, NOON)
        code = code_at(seed_of(ceremony.public))
        rounds.append((person.id, dict(ceremony.secret), code))
    assert track.run(try_setup, rounds, url=raced_url, key=KEY) == [1] * len(rounds)


def try_own_setup(tools: Tools, user_id: str) -> bool:
    user = db.session.get_one(User, user_id)
    db.session.commit()
    ceremony = Totp(tools).begin_enrolment(user, NOON)
    answer = {"otp": code_at(seed_of(ceremony.public))}
    return isinstance(Totp(tools).finish_enrolment(user, ceremony.secret, answer, NOON), Enrolled)


def test_race_of_two_setups_leaves_one_app(totp: Totp, track: Racetrack, raced_url: str) -> None:
    people = [add_person(f"{new_id()}@example.com") for _ in range(20)]
    rounds = [person.id for person in people]
    assert track.run(try_own_setup, rounds, url=raced_url, key=KEY) == [2] * len(rounds)
    db.session.expire_all()
    assert [len(credentials_of(person)) for person in people] == [1] * len(people)
