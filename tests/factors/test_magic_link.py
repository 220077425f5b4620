"""The link and the code of one mail: who gets one, what ends it, and that it works once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, select

from idp.assurance import Offer, Trait
from idp.factors.base import Ceremony, Factor, Mail, Proof, Refused, Task, Tools
from idp.factors.magic_link import LIFETIME, TRIES, Link, MagicLink, masked, withdraw
from idp.models import Counter, Entry, User, db, new_id
from tests.factors.race import Racetrack
from tests.factors.storage import KEY, add_person, make_tools
from tests.factors.verdicts import reason
from tests.helpers.clock import NOON

MAILBOX = frozenset({Trait.MAILBOX})
TASK = Task("transaction-a", app="Shop", user_agent="Firefox on Windows")
OTHER = Task("transaction-b", app="Shop")


@pytest.fixture
def factor(tools: Tools) -> MagicLink:
    return MagicLink(tools)


def ask(
    factor: MagicLink, user: User | None, task: Task = TASK, now: datetime = NOON
) -> tuple[Mapping[str, Any], Mail]:
    """Ask for a mail: the ceremony's secret, and the mail."""
    ceremony = factor.begin(user, task, now)
    db.session.commit()
    assert ceremony.mail is not None
    return ceremony.secret, ceremony.mail


def token_of(mail: Mail) -> str:
    return str(mail.values["url"]).rpartition("/")[2]


def by_link(mail: Mail) -> dict[str, str]:
    return {"token": token_of(mail)}


def by_code(mail: Mail) -> dict[str, str]:
    return {"code": mail.values["code"]}


BOTH_WAYS = pytest.mark.parametrize("way", [by_link, by_code])


def not_the(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def judge(
    factor: MagicLink,
    user: User | None,
    secret: Mapping[str, Any],
    answer: Mapping[str, str],
    now: datetime = NOON,
) -> Proof | Refused:
    verdict = factor.verify(user, secret, answer, now)
    db.session.commit()
    return verdict


def test_is_a_factor(tools: Tools) -> None:
    factor: Factor = MagicLink(tools)
    assert (factor.name, factor.can_prove, factor.enrolable) == ("magic_link", MAILBOX, False)


def test_the_mail_holds_both_ways_and_where_it_began(factor: MagicLink, alice: User) -> None:
    _, mail = ask(factor, alice)
    link = mail.values["url"]
    assert (mail.template, mail.to) == ("sign_in", "alice@example.com")
    assert mail.not_after == NOON + timedelta(minutes=10)
    assert link.startswith("https://id.example.org/login/link/")
    assert len(token_of(mail)) == 43
    assert len(mail.values["code"]) == 6
    assert {name: mail.values[name] for name in ("app", "started", "device", "minutes")} == {
        "app": "Shop",
        "started": NOON,
        "device": "Firefox on Windows",
        "minutes": 10,
    }


@BOTH_WAYS
def test_proof_is_the_mailbox(factor: MagicLink, alice: User, way: Any) -> None:
    secret, mail = ask(factor, alice)
    proof = judge(factor, alice, secret, way(mail))
    assert proof == Proof(alice.id, None, MAILBOX, ("email",))


@BOTH_WAYS
def test_it_names_its_person_when_nobody_is_known(factor: MagicLink, alice: User, way: Any) -> None:
    secret, mail = ask(factor, alice)
    verdict = judge(factor, None, secret, way(mail))
    assert isinstance(verdict, Proof)
    assert verdict.user_id == alice.id


@pytest.mark.parametrize("first", [by_link, by_code])
@pytest.mark.parametrize("then", [by_link, by_code])
def test_using_either_ends_both(factor: MagicLink, alice: User, first: Any, then: Any) -> None:
    secret, mail = ask(factor, alice)
    assert reason(judge(factor, alice, secret, first(mail))) == "accepted"
    assert reason(judge(factor, alice, secret, then(mail))) == "expired"


@BOTH_WAYS
@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (LIFETIME - timedelta(seconds=1), "accepted"),
        (LIFETIME, "expired"),
        (timedelta(days=1), "expired"),
    ],
)
def test_it_lives_ten_minutes(
    factor: MagicLink, alice: User, way: Any, age: timedelta, verdict: str
) -> None:
    secret, mail = ask(factor, alice)
    assert reason(judge(factor, alice, secret, way(mail), NOON + age)) == verdict


@BOTH_WAYS
def test_a_newer_mail_ends_the_older(factor: MagicLink, alice: User, bob: User, way: Any) -> None:
    bobs_secret, bobs_mail = ask(factor, bob)
    secret, mail = ask(factor, alice)
    newer_secret, newer = ask(factor, alice, OTHER)
    assert reason(judge(factor, alice, secret, way(mail))) == "expired"
    assert reason(judge(factor, alice, newer_secret, way(newer))) == "accepted"
    assert reason(judge(factor, bob, bobs_secret, way(bobs_mail))) == "accepted"


@BOTH_WAYS
def test_it_ends_when_it_is_withdrawn(factor: MagicLink, alice: User, way: Any) -> None:
    secret, mail = ask(factor, alice)
    withdraw(alice.id, NOON)
    assert reason(judge(factor, alice, secret, way(mail))) == "expired"


@BOTH_WAYS
@pytest.mark.parametrize(
    "change",
    [
        {"email": "alice@example.net"},
        {"email_verified": False},
        {"disabled_at": NOON},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("known", [True, False])
def test_it_ends_with_the_address(
    factor: MagicLink, alice: User, way: Any, change: dict[str, Any], known: bool
) -> None:
    secret, mail = ask(factor, alice)
    for name, value in change.items():
        setattr(alice, name, value)
    db.session.commit()
    assert factor.read_link(token_of(mail), NOON) is None
    verdict = judge(factor, alice if known else None, secret, way(mail))
    assert reason(verdict) == "expired"


@BOTH_WAYS
def test_another_person_cannot_finish_it_nor_spend_it(
    factor: MagicLink, alice: User, bob: User, way: Any
) -> None:
    secret, mail = ask(factor, alice)
    assert reason(judge(factor, bob, secret, way(mail))) == "expired"
    assert reason(judge(factor, alice, secret, way(mail))) == "accepted"


def test_the_link_counts_in_its_own_transaction_only(
    factor: MagicLink, alice: User, bob: User
) -> None:
    secret, mail = ask(factor, alice)
    others, _ = ask(factor, bob, OTHER)
    for foreign in (others, {}, {"transaction_id": "transaction-c"}):
        assert reason(judge(factor, None, foreign, by_link(mail))) == "other_browser"
    assert reason(judge(factor, None, secret, by_link(mail))) == "accepted"


def test_the_code_counts_in_its_own_transaction_only(
    factor: MagicLink, alice: User, bob: User
) -> None:
    secret, mail = ask(factor, alice)
    others, others_mail = ask(factor, bob, OTHER)
    expected = "accepted" if by_code(others_mail) == by_code(mail) else "wrong"
    assert reason(judge(factor, None, others, by_code(mail))) == expected
    assert reason(judge(factor, None, {}, by_code(mail))) == "expired"
    assert reason(judge(factor, None, secret, by_code(mail))) == "accepted"


def test_a_code_is_guessed_at_five_times_at_most(factor: MagicLink, alice: User) -> None:
    secret, mail = ask(factor, alice)
    wrong = {"code": not_the(mail.values["code"])}
    guesses = [judge(factor, alice, secret, wrong) for _ in range(TRIES)]
    assert {reason(guess) for guess in guesses} == {"wrong"}
    assert all(isinstance(guess, Refused) and guess.counts for guess in guesses)
    assert reason(judge(factor, alice, secret, by_code(mail))) == "too_many_tries"
    link = factor.read_link(token_of(mail), NOON)
    assert link is not None
    assert link.code is None
    assert reason(judge(factor, alice, secret, by_link(mail))) == "accepted"


def test_the_last_try_may_be_right(factor: MagicLink, alice: User) -> None:
    secret, mail = ask(factor, alice)
    for _ in range(TRIES - 1):
        judge(factor, alice, secret, {"code": not_the(mail.values["code"])})
    assert reason(judge(factor, alice, secret, by_code(mail))) == "accepted"


@pytest.mark.parametrize("typed", ["{a} {b}", "{a}-{b}", " {a}{b} "])
def test_what_people_add_to_the_code_is_forgiven(
    factor: MagicLink, alice: User, typed: str
) -> None:
    secret, mail = ask(factor, alice)
    code = mail.values["code"]
    answer = {"code": typed.format(a=code[:3], b=code[3:])}
    assert reason(judge(factor, alice, secret, answer)) == "accepted"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ({}, ("missing", False)),
        ({"code": " "}, ("missing", False)),
        ({"code": "", "token": ""}, ("missing", False)),
        ({"code": "12345"}, ("malformed", True)),
        ({"code": "1234567"}, ("malformed", True)),
        ({"token": "nonsense"}, ("expired", False)),
        ({"token": "\ud800"}, ("expired", False)),
        ({"code": "\ud800"}, ("malformed", True)),
    ],
)
def test_what_is_no_answer(
    factor: MagicLink, alice: User, answer: dict[str, str], verdict: tuple[str, bool]
) -> None:
    secret, mail = ask(factor, alice)
    refused = judge(factor, alice, secret, answer)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.counts) == verdict
    assert reason(judge(factor, alice, secret, by_code(mail))) == "accepted"


def stranger(_: User) -> None:
    return None


def disabled(alice: User) -> User:
    alice.disabled_at = NOON
    db.session.commit()
    return alice


def unverified(alice: User) -> User:
    alice.email_verified = False
    db.session.commit()
    return alice


UNREACHABLE = pytest.mark.parametrize("person", [stranger, disabled, unverified])


def rows() -> list[int]:
    tables = (Entry, Counter)
    return [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


@UNREACHABLE
def test_who_cannot_be_reached_sees_the_same_and_gets_a_decoy(
    factor: MagicLink, alice: User, person: Any
) -> None:
    task = Task("t", login_name="Alice@Example.com ")
    known = factor.begin(alice, task, NOON)
    before = rows()
    unknown = factor.begin(person(alice), task, NOON)
    assert known.mail is not None
    assert (known.mail.decoy, known.mail.to) == (False, "alice@example.com")
    assert unknown.mail is not None
    assert (unknown.mail.decoy, unknown.mail.to) == (True, "nobody@invalid")
    assert unknown.mail.values.keys() == known.mail.values.keys()
    assert unknown.public == known.public == {"address": "Alice@Example.com ", "wait": 60}
    assert unknown.secret.keys() == known.secret.keys()
    assert [now - then for now, then in zip(rows(), before, strict=True)] == [1, 1]


@UNREACHABLE
def test_who_cannot_be_reached_is_refused_like_a_wrong_code(
    factor: MagicLink, alice: User, person: Any
) -> None:
    user = person(alice)
    ceremony: Ceremony = factor.begin(user, Task("t", login_name="nobody"), NOON)
    db.session.commit()
    verdicts = [judge(factor, user, ceremony.secret, {"code": "123456"}) for _ in range(TRIES + 1)]
    assert [reason(one) for one in verdicts] == ["wrong"] * TRIES + ["too_many_tries"]


def test_the_right_guess_at_nobodys_code_is_worth_nothing(
    factor: MagicLink, tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _: 123456)
    ceremony = factor.begin(None, Task("t", login_name="nobody@example.com"), NOON)
    assert reason(judge(factor, None, ceremony.secret, {"code": "123456"})) == "expired"


@pytest.mark.parametrize(
    ("typed", "again"),
    [("nobody@example.com", " Nobody@Example.com"), ("", ""), ("\ud800\0", "\ud800\0")],
)
def test_a_new_request_for_an_unknown_address_ends_the_older(
    factor: MagicLink, tables: None, typed: str, again: str
) -> None:
    first = factor.begin(None, Task("t", login_name=typed), NOON)
    factor.begin(None, Task("t", login_name=again), NOON)
    assert reason(judge(factor, None, first.secret, {"code": "123456"})) == "expired"


def test_nothing_readable_is_stored(factor: MagicLink, alice: User) -> None:
    secret, mail = ask(factor, alice)
    stored = str(db.session.execute(select(Entry.__table__)).all()) + str(secret)
    assert token_of(mail) not in stored
    assert f"'{mail.values['code']}'" not in stored


def test_a_lost_key_ends_it(factor: MagicLink, alice: User) -> None:
    secret, mail = ask(factor, alice)
    other = MagicLink(make_tools(Fernet.generate_key().decode()))
    assert reason(judge(other, alice, secret, by_code(mail))) == "expired"


def test_looking_at_a_link_leaves_it_as_it_is(factor: MagicLink, alice: User) -> None:
    secret, mail = ask(factor, alice)
    shown = [factor.read_link(token_of(mail), NOON) for _ in range(3)]
    assert (
        shown
        == [
            Link(
                transaction_id="transaction-a",
                app="Shop",
                address="a•••@example.com",
                started=NOON,
                user_agent="Firefox on Windows",
                code=mail.values["code"],
            )
        ]
        * 3
    )
    assert reason(judge(factor, alice, secret, by_code(mail))) == "accepted"
    assert factor.read_link(token_of(mail), NOON) is None


@pytest.mark.parametrize("age", [LIFETIME, timedelta(days=1)])
def test_a_dead_link_shows_nothing(factor: MagicLink, alice: User, age: timedelta) -> None:
    _, mail = ask(factor, alice)
    assert factor.read_link(token_of(mail), NOON + age) is None
    assert factor.read_link("nonsense", NOON) is None


def test_signing_in_where_the_link_opened_leaves_the_first_browser_out(
    factor: MagicLink, alice: User
) -> None:
    secret, mail = ask(factor, alice)
    link = factor.read_link(token_of(mail), NOON)
    assert link is not None
    here = factor.sign_in_here(link)
    assert here.public == {"address": "a•••@example.com"}
    assert reason(judge(factor, None, here.secret, by_code(mail))) == "expired"
    verdict = judge(factor, None, here.secret, by_link(mail))
    assert isinstance(verdict, Proof)
    assert verdict.user_id == alice.id
    assert reason(judge(factor, alice, secret, by_code(mail))) == "expired"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ana@example.com", "a•••@example.com"),
        ("x@example.com", "x•••@example.com"),
        ('"a@b"@example.com', '"•••@example.com'),
    ],
)
def test_an_address_is_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_offered_to_every_verified_address(factor: MagicLink, alice: User) -> None:
    assert factor.offers(None, []) == factor.offers(alice, []) == (Offer("magic_link", MAILBOX),)
    assert factor.offers(unverified(alice), []) == ()


def test_there_is_nothing_to_set_up(factor: MagicLink, alice: User) -> None:
    assert factor.begin_enrolment(alice, NOON) == Ceremony()
    refused = factor.finish_enrolment(alice, {}, {}, NOON)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.counts) == ("not_enrolable", False)


def try_answer(tools: Tools, argument: tuple[Mapping[str, Any], dict[str, str]]) -> bool:
    secret, answer = argument
    return isinstance(MagicLink(tools).verify(None, secret, answer, NOON), Proof)


@pytest.mark.parametrize("one", [by_link, by_code])
@pytest.mark.parametrize("other", [by_link, by_code])
def test_race_for_one_mail_has_one_winner(
    factor: MagicLink, track: Racetrack, raced_url: str, one: Any, other: Any
) -> None:
    people = [add_person(f"{new_id()}@example.com") for _ in range(30)]
    asked = [ask(factor, person) for person in people]
    lanes = [[(dict(secret), way(mail)) for secret, mail in asked] for way in (one, other)]
    assert track.run(try_answer, *lanes, url=raced_url, key=KEY) == [1] * len(people)


def try_guess(tools: Tools, argument: tuple[Mapping[str, Any], dict[str, str]]) -> bool:
    secret, answer = argument
    verdict = MagicLink(tools).verify(None, secret, answer, NOON)
    return reason(verdict) == "wrong"


def test_race_for_the_last_try_has_one_winner(
    factor: MagicLink, track: Racetrack, raced_url: str
) -> None:
    people = [add_person(f"{new_id()}@example.com") for _ in range(30)]
    asked = [ask(factor, person) for person in people]
    rounds = [(dict(secret), {"code": not_the(mail.values["code"])}) for secret, mail in asked]
    for secret, wrong in rounds * (TRIES - 1):
        judge(factor, None, secret, wrong)
    assert track.run(try_guess, rounds, url=raced_url, key=KEY) == [1] * len(rounds)


def try_asking(tools: Tools, user_id: str) -> bool:
    user = db.session.get_one(User, user_id)
    db.session.commit()
    mail = MagicLink(tools).begin(user, Task(new_id()), NOON).mail
    return mail is not None and not mail.decoy


def test_race_of_two_requests_leaves_one_mail_alive(
    factor: MagicLink, track: Racetrack, raced_url: str
) -> None:
    people = [add_person(f"{new_id()}@example.com") for _ in range(20)]
    rounds = [person.id for person in people]
    assert track.run(try_asking, rounds, url=raced_url, key=KEY) == [2] * len(rounds)
    alive = db.session.execute(
        select(Entry.owner, func.count()).where(Entry.used_at.is_(None)).group_by(Entry.owner)
    )
    assert sorted(row[1] for row in alive) == [1] * len(people)
