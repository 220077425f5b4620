"""What lies within reach is taken first, counted as idle, and nobody waits because of it."""

from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from idp.models import Entry, db
from idp.models.pool import Pool, give_back
from tests.models.test_plain import GET, PUT, entry
from tests.models.test_transactions import leave

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
