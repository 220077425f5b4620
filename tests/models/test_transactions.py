"""Transactions that plain statements begin: one with the ORM's, and nothing lost on the way."""

from contextlib import suppress
from sqlite3 import Connection as SQLite

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from idp.models import Entry, db, reading
from idp.models.base import prepare_engine
from tests.bench.statements import counting
from tests.models.test_plain import GET, LOCK, PUT, entry
from tests.services.bare import bare_app


def in_use() -> int:
    pool = db.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def kept(*keys: str) -> list[bool]:
    """As anybody else sees them."""
    engine = create_engine(db.engine.url)
    entries = Entry.__table__
    with engine.connect() as other:
        found = [other.execute(entries.select().filter_by(handle_hash=key)).first() for key in keys]
    engine.dispose()
    return [one is not None for one in found]


def test_plain_statements_need_no_session(app: Flask) -> None:
    PUT.run(entry("a"))
    assert GET.one({"key": "a"}) is not None
    assert kept("a") == [False]
    db.session.commit()
    assert not db.session.registry.has()
    assert (kept("a"), in_use()) == ([True], 0)


def test_there_is_nothing_to_end_where_nothing_was_begun(app: Flask) -> None:
    GET.one({"key": "a"})
    with counting(db.engine) as counted:
        db.session.commit()
        db.session.rollback()
    assert (counted.trips, db.session.registry.has()) == (0, False)


def test_its_ends_are_told_to_whoever_counts(app: Flask) -> None:
    with counting(db.engine) as counted:
        PUT.run(entry("a"))
        PUT.run(entry("b"))
        db.session.commit()
        PUT.run(entry("c"))
        db.session.rollback()
    assert (counted.begins, counted.commits, counted.rollbacks) == (2, 1, 1)


@pytest.mark.parametrize("ending", ["rollback", "remove"])
def test_what_is_not_committed_is_gone(app: Flask, ending: str) -> None:
    PUT.run(entry("a"))
    getattr(db.session, ending)()
    assert (kept("a"), in_use()) == ([False], 0)
    PUT.run(entry("b"))
    db.session.commit()
    assert kept("a", "b") == [False, True]


@pytest.mark.parametrize(("ending", "holds"), [("commit", True), ("rollback", False)])
def test_a_session_takes_over_what_is_open(app: Flask, ending: str, holds: bool) -> None:
    PUT.run(entry("a"))
    db.session.add(Entry(**entry("b")))
    db.session.flush()
    PUT.run(entry("c"))
    assert in_use() == 1
    getattr(db.session, ending)()
    assert (kept("a", "b", "c"), in_use()) == ([holds] * 3, 0)


def test_what_a_statement_locks_stays_locked_in_the_session(over_postgresql: Flask) -> None:
    PUT.run(entry("a"))
    db.session.commit()
    LOCK.one({"key": "a"})
    assert db.session().in_transaction()
    with psycopg.connect(address()) as other, pytest.raises(psycopg.errors.LockNotAvailable):
        other.execute("SELECT * FROM entries WHERE handle_hash = 'a' FOR UPDATE NOWAIT")


def address() -> str:
    return db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def leave(app: Flask) -> None:
    """The server ends every connection but the one it is told by."""
    with psycopg.connect(address(), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()


def test_a_connection_that_breaks_takes_its_transaction_with_it(over_postgresql: Flask) -> None:
    PUT.run(entry("a"))
    leave(over_postgresql)
    with pytest.raises(DBAPIError):
        PUT.run(entry("b"))
    with pytest.raises(PendingRollbackError):
        PUT.run(entry("c"))
    with pytest.raises(PendingRollbackError):
        db.session.add(Entry(**entry("d")))
    with pytest.raises(PendingRollbackError):
        db.session.commit()
    PUT.run(entry("e"))
    db.session.commit()
    assert (kept("a", "b", "c", "d", "e"), in_use()) == ([False] * 4 + [True], 0)


def test_after_a_rollback_what_had_broken_is_forgotten(over_postgresql: Flask) -> None:
    PUT.run(entry("a"))
    leave(over_postgresql)
    with pytest.raises(DBAPIError):
        PUT.run(entry("b"))
    db.session.rollback()
    db.session.commit()
    PUT.run(entry("c"))
    db.session.commit()
    assert kept("a", "b", "c") == [False, False, True]


def test_a_commit_over_a_connection_that_broke_is_an_error(over_postgresql: Flask) -> None:
    PUT.run(entry("a"))
    leave(over_postgresql)
    with pytest.raises(DBAPIError) as failed:
        db.session.commit()
    assert failed.value.connection_invalidated
    assert (kept("a"), in_use()) == ([False], 0)


def test_where_another_writes_nothing_is_begun(sqlite_url: str) -> None:
    app = bare_app(sqlite_url)
    with app.app_context():
        event.listen(db.engine, "connect", _impatient)
        PUT.run(entry("a"))
        with app.app_context(), pytest.raises(DBAPIError) as failed:
            PUT.run(entry("b"))
        assert failed.tb is not None  # nor does it come back because nobody remembers it
        assert in_use() == 1
        db.session.commit()
        PUT.run(entry("c"))
        db.session.commit()
        assert (kept("a", "b", "c"), in_use()) == ([True, False, True], 0)
        db.engine.dispose()


def _impatient(connection: SQLite, _record: object) -> None:
    connection.execute("PRAGMA busy_timeout=0")


def test_a_pool_that_cannot_hand_over_is_noticed(over_postgresql: Flask) -> None:
    """Two transactions where one is meant would be two truths."""
    ordinary = create_engine(db.engine.url)
    prepare_engine(ordinary)
    engines: dict[str | None, Engine] = db.engines  # type: ignore[assignment]
    usual, engines[None] = engines[None], ordinary
    try:
        PUT.run(entry("a"))
        with pytest.raises(RuntimeError):
            db.session.add(Entry(**entry("b")))
    finally:
        db.session.rollback()
        engines[None] = usual
        ordinary.dispose()
    assert kept("a") == [False]


class Failure(Exception):
    """While something was read."""


@pytest.mark.parametrize("fails", [False, True], ids=["as it should", "by a failure"])
def test_what_comes_after_reading_is_a_transaction(app: Flask, fails: bool) -> None:
    db.session.add(Entry(**entry("before")))
    with suppress(Failure), reading():
        assert db.session.get(Entry, "before") is not None
        if fails:
            raise Failure
    for key in ("a", "b"):
        db.session.add(Entry(**entry(key)))
        db.session.flush()
    db.session.rollback()
    assert (kept("before", "a", "b"), in_use()) == ([True, False, False], 0)
