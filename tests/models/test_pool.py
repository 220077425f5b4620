"""What lies within reach is taken first, counted as idle, and nobody waits because of it."""

from threading import Thread
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.pool import PoolProxiedConnection

from idp.models import Entry, db
from idp.models.pool import Pool, give_back
from tests.models.test_plain import GET, PUT, entry
from tests.models.test_transactions import address, leave

NOT_HERE = {"key": "k"}


def pool() -> Pool:
    found = db.engine.pool
    assert isinstance(found, Pool)
    return found


def counts() -> tuple[int, int]:
    """In use, and idle."""
    return pool().checkedout(), pool().checkedin()


def test_one_connection_does_for_whoever_comes_after_another(app: Flask) -> None:
    GET.one(NOT_HERE)
    assert counts() == (0, 1)
    PUT.run(entry("a"))
    assert counts() == (1, 0)
    db.session.commit()
    db.session.execute(select(Entry.purpose)).all()
    assert counts() == (1, 0)
    db.session.remove()
    GET.one(NOT_HERE)
    assert counts() == (0, 1)


def test_what_is_in_a_transaction_goes_back_for_good_and_is_rolled_back(app: Flask) -> None:
    connection = db.engine.raw_connection()
    connection.cursor().execute("BEGIN")
    connection.cursor().execute("CREATE TABLE notes (id integer)")
    give_back(db.engine, connection)
    assert pool()._within_reach == []
    with pytest.raises(DBAPIError):
        db.session.execute(text("SELECT * FROM notes"))


def test_who_waits_gets_the_first_that_is_given_back(app: Flask) -> None:
    """As many are in use as there may be: what is given back then must not lie about."""
    most = [db.engine.raw_connection() for _ in range(pool().size() + pool()._max_overflow)]
    got: list[object] = []

    def wait() -> None:
        with app.app_context():
            got.append(GET.all(NOT_HERE))

    thread = Thread(target=wait)
    thread.start()
    give_back(db.engine, most.pop())
    thread.join(timeout=10)
    assert got == [[]]
    for one in most:
        one.close()
    assert counts()[0] == 0


def test_what_is_disposed_of_is_closed_also_what_comes_back_later(app: Flask) -> None:
    GET.one(NOT_HERE)
    late, before = db.engine.raw_connection(), pool()
    db.engine.dispose()
    give_back(db.engine, late)
    assert (counts(), pool()._within_reach) == ((0, 0), [])
    before.dispose()
    assert GET.all(NOT_HERE) == []


def test_none_that_the_server_has_left_is_taken(over_postgresql: Flask) -> None:
    GET.one(NOT_HERE)
    leave(over_postgresql)
    assert GET.all(NOT_HERE) == []
    assert counts() == (0, 1)


def test_when_one_breaks_the_others_are_looked_at(over_postgresql: Flask) -> None:
    held = db.engine.connect()
    held.execute(text("SELECT 1"))
    GET.one(NOT_HERE)
    leave(over_postgresql)
    assert len(pool()._within_reach) == 1
    with pytest.raises(OperationalError):
        held.execute(text("SELECT 1"))
    assert pool()._within_reach == []
    held.close()
    assert GET.all(NOT_HERE) == []


def put_down(number: int) -> list[PoolProxiedConnection]:
    """So many connections, one after the other; whoever asked is known to hold on to them."""
    some = [db.engine.raw_connection() for _ in range(number)]
    for one in some:
        give_back(db.engine, one)
    return some


def test_the_last_that_was_put_down_is_the_first_that_is_taken(app: Flask) -> None:
    some = put_down(3)
    assert counts() == (0, 3)
    taken = [db.engine.raw_connection() for _ in range(3)]
    assert taken == some[::-1]
    for one in taken:
        one.close()


def test_more_than_are_kept_open_may_be_put_down(app: Flask) -> None:
    """As long as there may be still more."""
    number = pool().size() + 1
    assert pool()._max_overflow > 1
    some = put_down(number)
    assert pool()._within_reach == some
    assert counts() == (0, number)


def test_whoever_listens_hears_of_both(app: Flask) -> None:
    put_down(1)
    heard: list[tuple[str, object]] = []
    for name in ("checkin", "checkout"):
        event.listen(db.engine, name, lambda *given, name=name: heard.append((name, given[0])))
    (again,) = put_down(1)
    below = again.dbapi_connection
    assert heard == [("checkout", below), ("checkin", below)]


def test_what_is_let_go_is_closed_all_of_it(app: Flask) -> None:
    some, before = put_down(3), pool()
    db.engine.dispose()
    assert [one.dbapi_connection for one in some] == [None] * 3
    assert (before._within_reach, before.checkedout(), before.checkedin()) == ([], 0, 0)


def test_an_error_that_breaks_nothing_is_no_reason_to_let_go(app: Flask) -> None:
    stays, _ = put_down(2)
    with db.engine.connect() as used, pytest.raises((OperationalError, ProgrammingError)):
        used.execute(text("SELECT * FROM nowhere"))
    assert pool()._within_reach == [stays]


def test_of_several_within_reach_the_next_is_taken_when_one_is_gone(
    over_postgresql: Flask,
) -> None:
    stays, goes = put_down(2)
    below: Any = goes.dbapi_connection
    end(below.info.backend_pid)
    taken = db.engine.raw_connection()
    assert taken is stays
    assert goes.dbapi_connection is None
    taken.close()


def end(process: int) -> None:
    """Of the server's, by which it serves one connection."""
    with psycopg.connect(address(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 30000)", [process]).fetchall()
