"""Statements that nobody waits for: sent with the next, in order, and as much a part of it all."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError

from idp.models import Entry, db
from tests.bench.statements import counting
from tests.models.test_plain import GET, PUT, entry
from tests.models.test_transactions import address, in_use, kept, leave


def test_the_commit_takes_them_along(app: Flask) -> None:
    PUT.later(entry("a"))
    PUT.later(entry("b"))
    assert kept("a", "b") == [False, False]
    db.session.commit()
    assert (kept("a", "b"), in_use()) == ([True, True], 0)
    assert not db.session.registry.has()


def test_a_whole_transaction_is_one_wait(over_postgresql: Flask) -> None:
    PUT.run(entry("first"))  # and is prepared
    db.session.commit()
    with counting(db.engine) as counted:
        PUT.later(entry("a"))
        PUT.later(entry("b"))
        db.session.commit()
    assert (counted.trips, len(counted.texts)) == (1, 2)


def test_begin_is_no_wait_of_its_own(over_postgresql: Flask) -> None:
    PUT.run(entry("first"))
    db.session.commit()
    with counting(db.engine) as counted:
        PUT.run(entry("a"))
        db.session.commit()
    assert counted.trips == 2


def test_the_next_statement_sees_what_they_did(app: Flask) -> None:
    PUT.later(entry("a"))
    assert GET.one({"key": "a"}) is not None
    db.session.rollback()
    assert kept("a") == [False]


def test_a_session_that_takes_over_sees_it_too(app: Flask) -> None:
    PUT.later(entry("a"))
    assert db.session.get(Entry, "a") is not None
    PUT.later(entry("b"))
    db.session.commit()
    assert (kept("a", "b"), in_use()) == ([True, True], 0)


@pytest.mark.parametrize("ending", ["rollback", "remove"])
def test_what_waits_is_gone_with_its_transaction(app: Flask, ending: str) -> None:
    PUT.later(entry("a"))
    getattr(db.session, ending)()
    PUT.run(entry("b"))
    db.session.commit()
    assert (kept("a", "b"), in_use()) == ([False, True], 0)


def test_one_that_fails_takes_the_commit_with_it(over_postgresql: Flask) -> None:
    """Not even what stood before it holds, and the connection is as good as before."""
    PUT.later(entry("a"))
    PUT.later(entry("a"))
    PUT.later(entry("b"))
    with pytest.raises(IntegrityError):
        db.session.commit()
    assert (kept("a", "b"), in_use()) == ([False, False], 0)
    PUT.later(entry("b"))
    db.session.commit()
    assert kept("a", "b") == [False, True]


def test_one_that_fails_is_told_by_the_statement_it_is_sent_with(over_postgresql: Flask) -> None:
    PUT.later(entry("a"))
    PUT.later(entry("a"))
    with pytest.raises(IntegrityError):
        PUT.run(entry("b"))
    with pytest.raises(PendingRollbackError):
        db.session.commit()
    assert (kept("a", "b"), in_use()) == ([False, False], 0)
    PUT.later(entry("b"))
    db.session.commit()
    assert kept("a", "b") == [False, True]


UNSENT: dict[str, Callable[[], object]] = {
    "a text with NUL": lambda: PUT.run(entry("\0")),
    "a value that is missing": lambda: GET.one({}),
}


@pytest.mark.parametrize("begun", [False, True], ids=["at first", "later on"])
@pytest.mark.parametrize("bad", UNSENT.values(), ids=UNSENT)
def test_what_was_never_sent_because_of_another_takes_the_commit_with_it(
    over_postgresql: Flask, begun: bool, bad: Callable[[], object]
) -> None:
    """What has no form on the wire fails here, and PostgreSQL has seen nothing that failed."""
    if begun:
        PUT.run(entry("first"))
    PUT.later(entry("a"))
    with pytest.raises((DBAPIError, KeyError)):
        bad()
    PUT.run(entry("b"))
    with pytest.raises(PendingRollbackError):
        db.session.commit()
    assert (kept("first", "a", "b"), in_use()) == ([False] * 3, 0)


def test_what_was_not_done_before_a_session_came_takes_the_commit_with_it(
    over_postgresql: Flask,
) -> None:
    PUT.later(entry("a"))
    PUT.later(entry("\0"))
    with pytest.raises(DBAPIError):
        db.session()
    with pytest.raises(PendingRollbackError):
        db.session()
    with pytest.raises(PendingRollbackError):
        db.session.commit()
    assert (kept("a"), in_use()) == ([False], 0)
    db.session.add(Entry(**entry("b")))
    db.session.commit()
    assert kept("a", "b") == [False, True]


def test_after_a_failure_none_is_taken_for_done(over_postgresql: Flask) -> None:
    PUT.run(entry("a"))
    with pytest.raises(IntegrityError):
        PUT.run(entry("a"))
    PUT.later(entry("b"))
    with pytest.raises(DBAPIError):
        db.session.commit()
    assert kept("a", "b") == [False, False]


def test_a_connection_that_broke_is_an_error_and_not_used_again(over_postgresql: Flask) -> None:
    PUT.run(entry("a"))
    leave(over_postgresql)
    PUT.later(entry("b"))
    with pytest.raises(DBAPIError) as failed:
        db.session.commit()
    assert failed.value.connection_invalidated
    assert in_use() == 0
    PUT.later(entry("c"))
    db.session.commit()
    assert (kept("a", "b", "c"), in_use()) == ([False, False, True], 0)


def test_whoever_listens_hears_of_each_in_order(over_postgresql: Flask) -> None:
    heard: list[tuple[str, Any]] = []

    def before(_c: object, _k: object, _s: str, values: dict[str, Any], *_: object) -> None:
        heard.append(("before", values.get("handle_hash", values.get("key"))))

    def after(_c: object, _k: object, _s: str, values: dict[str, Any], *_: object) -> None:
        heard.append(("after", values.get("handle_hash", values.get("key"))))

    event.listen(db.engine, "before_cursor_execute", before)
    event.listen(db.engine, "after_cursor_execute", after)
    PUT.later(entry("a"))
    assert heard == []
    GET.one({"key": "a"})
    PUT.later(entry("b"))
    db.session.commit()
    names = ["a", "a", "b"]
    assert [name for when, name in heard if when == "before"] == names
    assert [name for when, name in heard if when == "after"] == names


def test_more_than_the_kernel_takes_at_once_arrives(over_postgresql: Flask) -> None:
    long = {"text": "x" * 4_000_000}
    PUT.later(entry("a", data=long))
    PUT.later(entry("b", data=long))
    assert GET.one({"key": "b"}).data == long  # type: ignore[union-attr]
    db.session.commit()
    assert kept("a", "b") == [True, True]


def test_other_threads_go_on_while_one_waits(over_postgresql: Flask) -> None:
    """What it waits for is let go by another thread of this very process."""
    PUT.run(entry("first"))
    db.session.execute(text("SET lock_timeout = '5s'"))
    db.session.commit()
    db.session.remove()
    with psycopg.connect(address()) as other:
        other.execute("LOCK TABLE entries IN EXCLUSIVE MODE")
        letting_go = Thread(target=_let_go, args=(other,))
        PUT.later(entry("a"))
        PUT.later(entry("b"))
        letting_go.start()
        db.session.commit()
        letting_go.join()
    assert kept("a", "b") == [True, True]


def _let_go(connection: psycopg.Connection[Any]) -> None:
    """Once somebody waits for it."""
    while connection.execute("SELECT FROM pg_locks WHERE NOT granted").fetchone() is None:
        pass
    connection.rollback()
