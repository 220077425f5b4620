"""People are found by their words, whatever happens to their accounts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, select, text

from idp.audit import Context
from idp.factors import FACTORS
from idp.migrate import downgrade, upgrade
from idp.models import PersonWord, User, db
from idp.services import email_change, people_storing, person_words
from idp.services.account_fields import Fields
from idp.services.accounts import new_user
from idp.services.email_change import Change
from idp.services.invalid import Invalid
from idp.services.people import Wanted, people_of
from idp.state import put
from idp.web.services import Services
from tests.factors.storage import KEY, make_tools, storage
from tests.helpers.clock import NOON, FakeClock
from tests.helpers.databases import KINDS, Databases, Kind
from tests.helpers.engines import engine_beside

CONTEXT = Context(at=NOON, actor_id="command:test")
ANN = {"email": "ann.archer@example.com", "name": "Zoë Vaughan-Smith", "username": "needle_2"}
WORDS = {"ann", "archer", "example", "com", "zoe", "vaughan", "smith", "needle", "2"}


@pytest.fixture
def idp(database_url: str) -> Iterator[Services]:
    with storage(database_url):
        yield Services(make_tools(KEY).settings, clock=FakeClock(), kinds=FACTORS)


def person(idp: Services, **changes: object) -> User:
    return idp.accounts.create({**ANN, **changes}, CONTEXT)  # type: ignore[typeddict-item]


def found(wanted: str) -> list[str]:
    return [one.user.email for one in people_of(Wanted(beginning=wanted)).listed]


def stored(user_id: str) -> set[str]:
    return set(db.session.scalars(select(PersonWord.word).where(PersonWord.user_id == user_id)))


def test_a_new_account_is_found(idp: Services) -> None:
    user = person(idp)
    assert stored(user.id) == WORDS
    assert found("smith") == found("archer zoe") == found("NEEDLE smi") == [ANN["email"]]


CHANGED: dict[str, tuple[dict[str, object], set[str], set[str]]] = {
    "the name": ({"name": "Zoë Quill"}, {"vaughan", "smith"}, {"quill"}),
    "the address": ({"email": "ann@example.com"}, {"archer"}, set()),
    "the user name": ({"username": "thread"}, {"needle", "2"}, {"thread"}),
    "no user name any more": ({"username": None}, {"needle", "2"}, set()),
    "no name any more": ({"name": None}, {"zoe", "vaughan", "smith"}, set()),
    "nothing that is a name": ({"email_verified": True}, set(), set()),
}


@pytest.mark.parametrize(("change", "gone", "new"), CHANGED.values(), ids=CHANGED)
def test_what_an_administrator_changes_counts_at_once(
    idp: Services, change: dict[str, object], gone: set[str], new: set[str]
) -> None:
    user, other = person(idp), person(idp, email="b@example.com", username="b")
    idp.accounts.update(user, change, CONTEXT)  # type: ignore[arg-type]
    assert stored(user.id) == (WORDS - gone) | new
    assert stored(other.id) == {"b", "example", "com", "zoe", "vaughan", "smith"}


def test_what_another_changed_since_she_was_read_counts_as_well(idp: Services) -> None:
    user = person(idp)
    with engine_beside(db.engine.url) as elsewhere, elsewhere.begin() as other:
        other.execute(text("UPDATE users SET username = 'thread', version = version + 1"))
    assert user.username == ANN["username"]  # as it was read
    idp.accounts.update(user, {"name": "Zoë Quill"}, CONTEXT)
    assert stored(user.id) == (WORDS - {"vaughan", "smith", "needle", "2"}) | {"quill", "thread"}


def test_a_change_that_is_refused_leaves_the_words(idp: Services) -> None:
    user = person(idp)
    person(idp, email="taken@example.com", username="taken")
    with pytest.raises(Invalid):
        idp.accounts.update(user, {"name": "Somebody Else", "username": "taken"}, CONTEXT)
    assert stored(user.id) == WORDS
    with pytest.raises(Invalid):
        person(idp, email="taken@example.com", username="x", name="Nobody Here")
    db.session.rollback()
    assert found("nobody") == []


def test_an_address_that_she_changes_herself_and_puts_back(idp: Services) -> None:
    user, old, new = person(idp), ANN["email"], "new.name@elsewhere.org"
    link = handle(email_change.PURPOSE, user_id=user.id, **{"from": old, "to": new})
    assert isinstance(idp.email_change.confirm(link, CONTEXT), Change)
    moved = {"new", "name", "elsewhere", "org"}
    assert stored(user.id) == (WORDS - {"ann", "archer", "example", "com"}) | moved
    link = handle(email_change.UNDO, user_id=user.id, **{"from": new, "to": old})
    assert isinstance(idp.email_change.undo(link, CONTEXT), Change)
    assert stored(user.id) == WORDS


def handle(purpose: str, **data: str) -> str:
    """Of a link that was mailed."""
    return put(purpose, data, now=NOON, lifetime=timedelta(days=1), owner=data["user_id"])


def test_whoever_is_deleted_is_not_found(idp: Services) -> None:
    user = person(idp)
    idp.accounts.delete(user, CONTEXT)
    assert db.session.query(PersonWord).count() == 0


def test_those_who_are_taken_over_are_found(idp: Services) -> None:
    new = [new_user({"email": f"p{n}@example.com", "name": f"Sam Lake{n}"}, CONTEXT) for n in "12"]
    ready = [people_storing.Ready(user, groups, None, False) for user, groups in new]
    people_storing.store(ready, CONTEXT)
    db.session.commit()
    assert found("lake2") == ["p2@example.com"]
    assert found("lake") == ["p1@example.com", "p2@example.com"]


def test_nobody_brings_an_end_of_words(idp: Services) -> None:
    name = "".join(chr(0x4E00 + number) for number in range(255))  # a word begins at each of them
    user = person(idp, name=name)
    assert len(stored(user.id)) == person_words.MOST
    assert found(name[:3]) == found(name[9:12]) == found("archer") == [ANN["email"]]


def test_one_whom_an_older_version_makes_is_found_before_long(idp: Services) -> None:
    """And nobody is looked at who has been there for long."""
    users = [person(idp), person(idp, email="b@example.com", username="b")]
    old = idp.accounts.create(
        {"email": "c@example.com"}, replace(CONTEXT, at=NOON - timedelta(days=3))
    )
    db.session.execute(delete(PersonWord))
    db.session.commit()
    assert found("smith") == []
    since = NOON - person_words.MISSED_FOR
    assert (person_words.complete(since), person_words.complete(since)) == (2, 0)
    assert sorted(found("smith")) == [user.email for user in users]
    assert stored(old.id) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_those_who_were_there_before_are_found_alike(databases: Databases, kind: Kind) -> None:
    with databases.fresh(kind) as url:
        with storage(url):
            idp = Services(make_tools(KEY).settings, clock=FakeClock(), kinds=FACTORS)
            person(idp)
            person(idp, email="b@example.com", username=None, name="社内 ポータル")
            person(idp, email="_@example.com", username=None, name="☕")
            more: list[Fields] = [{"email": f"p{number}@example.com"} for number in range(1000)]
            new = [people_storing.Ready(*new_user(one, CONTEXT), None, False) for one in more]
            people_storing.store(new, CONTEXT)
            db.session.commit()
        before = words(url)
        downgrade(url, "0015")
        upgrade(url)
        assert words(url) == before
        assert len(before) > 15


def test_whoever_leaves_while_words_are_made_takes_hers_along(databases: Databases) -> None:
    """Her words were made when her account was there, and is gone when all must refer to one."""
    with databases.fresh("postgresql") as url:
        with storage(url):
            idp = Services(make_tools(KEY).settings, clock=FakeClock(), kinds=FACTORS)
            stays, leaves = person(idp), person(idp, email="b@example.com", username="b")
            ids = stays.id, leaves.id
        downgrade(url, "0015")
        with (
            engine_beside(url) as engine,
            ThreadPoolExecutor(1) as other,
            engine.connect() as leaving,
        ):
            leaving.execute(text("DELETE FROM users WHERE id = :id"), {"id": ids[1]})
            upgrading = other.submit(upgrade, url)
            while not upgrading.done() and not _is_waited_for(engine):
                pass
            leaving.commit()
            upgrading.result(timeout=60)
        assert {user_id for user_id, _word in words(url)} == {ids[0]}


def _is_waited_for(engine: Engine) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted"
    )
    with engine.connect() as looking:
        return bool(looking.scalar(waiting))


def words(url: str) -> list[tuple[str, str]]:
    with engine_beside(url) as engine, engine.connect() as connection:
        rows = connection.execute(text("SELECT user_id, word FROM person_words")).all()
    return sorted((row[0], row[1]) for row in rows)
