"""The password factor: one answer and one amount of work for everybody; kept by its rules."""

import threading
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from idp.assurance import Offer, Trait
from idp.config import Settings
from idp.factors.base import Enrolled, Factor, Proof, Refused, Task, Tools
from idp.factors.password import REFUSED, Password, store
from idp.models import Credential, User, db
from idp.passwords import Hasher
from idp.passwords.schemes import Argon2id
from idp.services import persons
from tests.factors.race import Racetrack
from tests.factors.storage import KEY, add_person, make_tools, storage
from tests.helpers.clock import NOON
from tests.passwords.counting import CHEAP, CountingScheme, counting_hasher

KNOWLEDGE = frozenset({Trait.KNOWLEDGE})
RIGHT = "paper lanterns drift at noon"
WRONG = "paper lanterns drift at dusk"
HOUR = timedelta(hours=1)


@pytest.fixture
def tables(database_url: str) -> Iterator[None]:
    """Both kinds of database: a hash is computed between two transactions."""
    with storage(database_url):
        yield


@pytest.fixture
def tools() -> Tools:
    return make_tools(**CHEAP)


@pytest.fixture
def counting(tools: Tools) -> tuple[Hasher, CountingScheme]:
    return counting_hasher(tools.settings)


@pytest.fixture
def password(tools: Tools, counting: tuple[Hasher, CountingScheme]) -> Password:
    return Password(tools, hasher=counting[0])


@pytest.fixture
def work(counting: tuple[Hasher, CountingScheme]) -> CountingScheme:
    return counting[1]


def give_password(user: User, text: str = RIGHT, settings: Settings | None = None) -> Credential:
    hasher = Hasher(settings or make_tools(**CHEAP).settings)
    credential = store(user.id, hasher.hash(text), NOON - HOUR)
    db.session.commit()
    return credential


def give(user: User, kind: str, **values: Any) -> None:
    db.session.add(Credential(user_id=user.id, kind=kind, created_at=NOON, **values))
    db.session.commit()


def judge(password: Password, user: User | None, text: str) -> Proof | Refused:
    verdict = password.verify(user, {}, {"password": text}, NOON)
    db.session.commit()
    return verdict


def passwords_of(user: User) -> list[Credential]:
    return list(
        db.session.scalars(
            select(Credential)
            .where(Credential.user_id == user.id, Credential.kind == "password")
            .execution_options(populate_existing=True)
        )
    )


def test_is_a_factor(tools: Tools) -> None:
    factor: Factor = Password(tools)
    assert (factor.name, factor.can_prove, factor.enrolable) == ("password", KNOWLEDGE, False)
    assert factor.begin(None, Task("t"), NOON).public == {}


def test_proof_is_knowledge_by_that_credential(password: Password, alice: User) -> None:
    credential = give_password(alice)
    assert judge(password, alice, RIGHT) == Proof(alice.id, credential.id, KNOWLEDGE, ("pwd",))
    assert passwords_of(alice)[0].last_used_at == NOON


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_composition_does_not_matter(password: Password, alice: User, form: Any) -> None:
    give_password(alice, "un été à Besançon très doux")
    typed = unicodedata.normalize(form, "un été à Besançon très doux")
    assert isinstance(judge(password, alice, typed), Proof)


def nobody() -> None:
    return None


def somebody_with_a_password() -> User:
    user = add_person("somebody@example.com")
    give_password(user)
    return user


def disabled() -> User:
    user = add_person("disabled@example.com", disabled_at=NOON - HOUR)
    give_password(user)
    return user


def passkey_only() -> User:
    user = add_person("passkey@example.com")
    give(user, "passkey", lookup="abc")
    return user


def without_anything() -> User:
    return add_person("bare@example.com")


PEOPLE = [nobody, somebody_with_a_password, disabled, passkey_only, without_anything]


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("who", PEOPLE)
def test_wrong_password_is_one_answer_and_one_hash_for_everybody(
    password: Password, work: CountingScheme, who: Callable[[], User | None]
) -> None:
    verdict = judge(password, who(), WRONG)
    assert verdict is REFUSED
    assert REFUSED.message == "Email or password is not correct."
    assert work.checked == ["m=64,t=1,p=1"]
    assert work.made == 0


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("who", [nobody, disabled, passkey_only, without_anything])
def test_right_password_does_not_help_who_may_not_use_one(
    password: Password, work: CountingScheme, who: Callable[[], User | None]
) -> None:
    assert judge(password, who(), RIGHT) is REFUSED
    assert len(work.checked) == 1


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("who", PEOPLE)
def test_empty_password_is_no_guess_for_anybody(
    password: Password, work: CountingScheme, who: Callable[[], User | None]
) -> None:
    verdict = judge(password, who(), "")
    assert isinstance(verdict, Refused)
    assert (verdict.counts, verdict.message) == (False, "Enter your password.")
    assert work.checked == []


def test_another_persons_password_does_not_help(password: Password, alice: User, bob: User) -> None:
    give_password(alice)
    give_password(bob, WRONG)
    assert judge(password, alice, WRONG) is REFUSED


def test_changed_cost_is_applied_at_the_next_sign_in(password: Password, alice: User) -> None:
    dearer = replace(make_tools(**CHEAP).settings, argon2_time=2)
    credential = give_password(alice, settings=dearer)
    assert judge(password, alice, WRONG) is REFUSED
    assert "t=2" in passwords_of(alice)[0].data["hash"]
    proof = judge(password, alice, RIGHT)
    assert isinstance(proof, Proof)
    assert proof.credential_id == credential.id
    assert "t=1" in passwords_of(alice)[0].data["hash"]
    assert isinstance(judge(password, alice, RIGHT), Proof)


class Meanwhile(Argon2id):
    """Does something else, in a session of its own, while the hash is computed."""

    def __init__(self, settings: Settings, act: Callable[[], None]) -> None:
        super().__init__(settings)
        self._act = act

    def verify(self, stored: str, password: bytes) -> bool:
        act = threading.Thread(target=self._act)
        act.start()
        act.join(timeout=20)
        assert not act.is_alive(), "the database is locked while a hash is computed"
        return super().verify(stored, password)


def during_the_hash(tools: Tools, url: str, act: Callable[[], object]) -> Password:
    def in_another_session() -> None:
        with storage(url):
            act()
            db.session.commit()

    return Password(
        tools, hasher=Hasher(tools.settings, making=Meanwhile(tools.settings, in_another_session))
    )


def test_nothing_is_locked_while_the_hash_is_computed(
    tools: Tools, alice: User, database_url: str
) -> None:
    give_password(alice)
    db.session.add(Credential(user_id=alice.id, kind="totp", created_at=NOON))
    db.session.flush()  # the write lock, on SQLite
    busy = during_the_hash(tools, database_url, lambda: give(alice, "totp"))
    assert isinstance(judge(busy, alice, RIGHT), Proof)


def test_password_replaced_during_the_hash_does_not_count_any_more(
    tools: Tools, alice: User, database_url: str
) -> None:
    give_password(alice)
    changed = during_the_hash(tools, database_url, lambda: give_password(alice, WRONG))
    assert judge(changed, alice, RIGHT) is REFUSED


def test_person_disabled_during_the_hash_is_not_let_in(
    tools: Tools, alice: User, database_url: str
) -> None:
    give_password(alice)
    disable = update(User).where(User.id == alice.id).values(disabled_at=NOON)
    disabling = during_the_hash(tools, database_url, lambda: db.session.execute(disable))
    assert judge(disabling, alice, RIGHT) is REFUSED


def as_read_by_name(user: User) -> User:
    """With what she holds by then."""
    found = persons.by_login(user.email)
    assert found is not None
    db.session.commit()
    return found


@pytest.mark.parametrize("read", [lambda user: user, as_read_by_name], ids=["alone", "with all"])
def test_second_step_set_up_during_the_hash_counts(
    tools: Tools, alice: User, database_url: str, read: Callable[[User], User]
) -> None:
    mine = give_password(alice)
    give(alice, "recovery_code")
    adding = during_the_hash(tools, database_url, lambda: give(alice, "totp"))
    proof = judge(adding, read(alice), RIGHT)
    assert isinstance(proof, Proof)
    held = {one.kind: one for one in proof.held or ()}
    assert held.keys() == {"password", "recovery_code", "totp"}
    assert (held["password"].id, held["password"].last_used_at) == (mine.id, NOON)
    assert mine.data["hash"] not in repr(proof)


def test_what_was_read_with_her_does_not_outlive_the_hash(
    tools: Tools, alice: User, database_url: str
) -> None:
    give_password(alice)
    changed = during_the_hash(tools, database_url, lambda: give_password(alice, WRONG))
    assert judge(changed, as_read_by_name(alice), RIGHT) is REFUSED
    disable = update(User).where(User.id == alice.id).values(disabled_at=NOON)
    disabling = during_the_hash(tools, database_url, lambda: db.session.execute(disable))
    assert judge(disabling, as_read_by_name(alice), WRONG) is REFUSED


@pytest.mark.parametrize(
    ("other", "length", "accepted"),
    [
        (None, 7, False),
        (None, 8, False),
        (None, 14, False),
        (None, 15, True),
        (None, 64, True),
        (None, 65, True),
        ("recovery_code", 14, False),
        ("recovery_code", 15, True),
        ("totp", 7, False),
        ("totp", 8, True),
        ("totp", 14, True),
        ("passkey", 8, True),
    ],
)
def test_length_of_a_new_password(
    password: Password, alice: User, other: str | None, length: int, accepted: bool
) -> None:
    if other:
        give(alice, other)
    text = "vexed kiwi hums beneath the quiet bridge while nine otters read maps"[:length]
    done = password.finish_enrolment(alice, {}, {"new_password": text}, NOON)
    assert isinstance(done, Enrolled) is accepted
    if isinstance(done, Refused):
        minimum = 15 if other in (None, "recovery_code") else 8
        assert done.message == f"Use at least {minimum} characters; this has {length}."
        assert (done.at_field, done.counts) == ("new_password", False)


def test_spent_second_step_does_not_shorten_the_password(password: Password, alice: User) -> None:
    give(alice, "totp", used_at=NOON)
    done = password.finish_enrolment(alice, {}, {"new_password": "vexed kiwi"}, NOON)
    assert isinstance(done, Refused)


@pytest.mark.parametrize(("other", "minimum"), [(None, 15), ("totp", 8)])
def test_page_is_told_the_length(
    password: Password, alice: User, other: str | None, minimum: int
) -> None:
    if other:
        give(alice, other)
    assert password.begin_enrolment(alice, NOON).public == {"minimum": minimum}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alice@example.com", "too close to your name"),
        ("Alice Liddell 1", "too close to your name"),
        ("qwerty123456789", "tried first"),
        ("", "Enter a new password."),
        ("x" * 1025, "at most 1,024"),
    ],
)
def test_new_password_that_will_not_do_is_told_why(
    password: Password, tables: None, text: str, words: str
) -> None:
    alice = add_person("alice@example.com", name="Alice Liddell")
    give_password(alice)
    done = password.finish_enrolment(alice, {}, {"new_password": text}, NOON)
    assert isinstance(done, Refused)
    assert words in done.message
    assert isinstance(judge(password, alice, RIGHT), Proof)


def test_new_password_takes_the_place_of_the_old(password: Password, alice: User) -> None:
    old = give_password(alice)
    done = password.finish_enrolment(alice, {}, {"new_password": WRONG}, NOON)
    db.session.commit()
    assert isinstance(done, Enrolled)
    assert done.proof is None
    assert [one.id for one in passwords_of(alice)] == [done.credential.id] != [old.id]
    assert judge(password, alice, RIGHT) is REFUSED
    assert isinstance(judge(password, alice, WRONG), Proof)


def test_password_is_kept_as_a_hash_only(password: Password, alice: User) -> None:
    password.finish_enrolment(alice, {}, {"new_password": RIGHT}, NOON)
    (credential,) = passwords_of(alice)
    assert credential.data.keys() == {"hash"}
    assert credential.data["hash"].startswith("$argon2id$")
    assert RIGHT not in repr(vars(credential))


def test_short_password_left_without_its_second_step_is_signalled(
    password: Password, alice: User
) -> None:
    give_password(alice, "vexed kiwi")
    give(alice, "totp")
    beside = judge(password, alice, "vexed kiwi")
    db.session.execute(update(Credential).where(Credential.kind == "totp").values(used_at=NOON))
    alone = judge(password, alice, "vexed kiwi")
    assert isinstance(beside, Proof)
    assert isinstance(alone, Proof)
    assert (beside.signals, alone.signals) == ({}, {"too_short": True})


def test_is_offered_to_who_has_one_and_to_whom_nobody_knows(
    password: Password, alice: User
) -> None:
    assert password.offers(None, ()) == (Offer("password", KNOWLEDGE),)
    assert password.offers(alice, ()) == ()
    give_password(alice)
    judge(password, alice, RIGHT)
    assert password.offers(alice, passwords_of(alice)) == (
        Offer("password", KNOWLEDGE, last_used=NOON),
    )


def set_own(tools: Tools, argument: tuple[str, str]) -> bool:
    user_id, text = argument
    store(user_id, Hasher(tools.settings).hash(text), NOON)
    return True


def test_race_of_two_new_passwords_leaves_one(track: Racetrack, raced_url: str) -> None:
    people = [add_person(f"{n}@example.com") for n in range(10)]
    rounds = [(one.id, RIGHT) for one in people]
    assert track.run(set_own, rounds, url=raced_url, key=KEY) == [2] * len(people)
    assert [len(passwords_of(one)) for one in people] == [1] * len(people)
