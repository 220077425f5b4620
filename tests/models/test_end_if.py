"""A claim that is the last of its transaction: it finds something and all of it holds, or none."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import bindparam
from sqlalchemy.exc import DataError, PendingRollbackError

from idp.models import Entry, db
from idp.models.plain import Plain
from tests.bench.statements import counting
from tests.helpers.clock import NOON
from tests.models.test_plain import PUT, _entries, by_orm, entry
from tests.models.test_transactions import in_use, kept

USE = Plain(
    _entries.update()
    .where(_entries.c.handle_hash == bindparam("key"), _entries.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(_entries.c.handle_hash)
)


def use(key: str) -> bool:
    return USE.end_if({"key": key, "now": NOON})


@pytest.fixture
def unused(app: Flask) -> None:
    PUT.end_with(entry("a"))


@pytest.mark.usefixtures("unused")
def test_what_stands_before_it_holds_with_it(app: Flask) -> None:
    PUT.run(entry("b"))
    PUT.later(entry("c"))
    assert use("a")
    assert (kept("b", "c"), in_use()) == ([True, True], 0)
    stored = by_orm("a")
    assert stored is not None
    assert stored.used_at == NOON


@pytest.mark.usefixtures("unused")
@pytest.mark.parametrize("gone", ["a", "nothing of this name"])
def test_nothing_holds_where_it_finds_nothing(app: Flask, gone: str) -> None:
    assert use("a")
    PUT.run(entry("b"))
    PUT.later(entry("c"))
    assert not use(gone)
    assert (kept("b", "c"), in_use()) == ([False, False], 0)
    PUT.run(entry("d"))  # by a connection that is as good as before
    db.session.commit()
    assert kept("d") == [True]


@pytest.mark.usefixtures("unused")
def test_the_same_in_a_session_s_transaction(app: Flask) -> None:
    db.session.add(Entry(**entry("b")))
    assert use("a")
    assert kept("b") == [True]
    db.session.add(Entry(**entry("c")))
    assert not use("a")
    assert kept("c") == [False]
    db.session.add(Entry(**entry("d")))
    db.session.commit()
    assert kept("d") == [True]


@pytest.mark.usefixtures("unused")
def test_it_may_be_all_there_is(app: Flask) -> None:
    assert [use("a"), use("a")] == [True, False]
    assert in_use() == 0


def test_it_takes_one_wait(over_postgresql: Flask) -> None:
    PUT.end_with(entry("a"))
    PUT.end_with(entry("b"))
    assert use("a")  # and is prepared
    with counting(db.engine) as counted:
        PUT.later(entry("c"))
        assert use("b")
    assert (counted.trips, len(counted.texts)) == (1, 2)


def test_another_failure_is_told(over_postgresql: Flask) -> None:
    """Not every bad value is a claim that came too late."""
    PUT.end_with(entry("a"))
    PUT.later(entry("b", purpose="longer than it may be" * 10))
    with pytest.raises(DataError):
        use("a")
    assert kept("b") == [False]
    assert use("a")


def test_nothing_holds_where_something_before_it_was_lost(over_postgresql: Flask) -> None:
    PUT.end_with(entry("a"))
    PUT.later(entry("b"))
    with pytest.raises(KeyError):
        USE.all({})
    with pytest.raises(PendingRollbackError):
        use("a")
    assert use("a")


@pytest.mark.usefixtures("unused")
def test_of_many_at_once_one_finds_it(app: Flask) -> None:
    together, names = Barrier(6), "bcdefg"

    def claim(name: str) -> bool:
        with app.app_context():
            together.wait()
            PUT.later(entry(name))
            return use("a")

    with ThreadPoolExecutor(6) as threads:
        won = list(threads.map(claim, names))
    assert sum(won) == 1
    assert kept(*names) == won
