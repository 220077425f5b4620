"""How plain transactions begin and end: told to whoever listens, and the connection given back.

Whoever has failed holds on to its error here, and so to all that it knew: a connection comes back
because it was given back, and not because nobody remembers it.
"""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from idp.models import Entry, db
from idp.models.base import prepare_engine, sessions
from idp.models.transactions import Transaction
from tests.bench.statements import counting
from tests.models.test_plain import GET, PUT, entry
from tests.models.test_pool import counts, pool
from tests.models.test_transactions import kept, leave


class Refusal(Exception):
    """Of somebody who listens."""


@pytest.fixture(params=["begin", "commit"])
def refusing(app: Flask, request: pytest.FixtureRequest) -> Iterator[str]:
    """What somebody refuses to hear of."""

    def refuse(_transaction: object) -> None:
        raise Refusal

    event.listen(db.engine, request.param, refuse)
    yield request.param
    event.remove(db.engine, request.param, refuse)


def begin_and_commit() -> None:
    PUT.run(entry("a"))
    db.session.commit()


def test_what_a_listener_refuses_does_not_hold_and_keeps_no_connection(refusing: str) -> None:
    with pytest.raises(Refusal) as failed:
        begin_and_commit()
    assert failed.tb is not None
    assert (kept("a"), counts()[0]) == ([False], 0)
    assert sessions._open == {}
    assert GET.one({"key": "a"}) is None


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_its_connection_is_given_back_when_it_has_ended(app: Flask, ending: str) -> None:
    transaction = begun(db.engine)
    connection = transaction.connection
    assert (counts(), pool()._within_reach) == ((1, 0), [])
    getattr(transaction, ending)()
    assert counts() == (0, 1)
    # SQLite's rolls back by going back for good.
    stays = ending == "commit" or db.engine.dialect.name == "postgresql"
    assert pool()._within_reach == ([connection] if stays else [])


def test_a_commit_that_fails_gives_the_connection_back(app: Flask) -> None:
    """What was promised for the end, and is not so then."""
    with db.engine.begin() as other:
        other.execute(text("CREATE TABLE few (id integer PRIMARY KEY)"))
        other.execute(
            text("CREATE TABLE many (few integer REFERENCES few DEFERRABLE INITIALLY DEFERRED)")
        )
    transaction = Transaction(db.engine)
    transaction.begin()
    cursor = transaction.connection.cursor()
    if db.engine.dialect.name == "postgresql":
        cursor.execute("BEGIN")
    cursor.execute("INSERT INTO many VALUES (1)")
    with pytest.raises(DBAPIError) as failed:
        transaction.commit()
    assert not failed.value.connection_invalidated
    assert counts()[0] == 0
    with db.engine.connect() as other:
        assert other.execute(text("SELECT * FROM many")).all() == []


def test_what_is_broken_is_not_said_to_be_rolled_back(over_postgresql: Flask) -> None:
    with counting(db.engine) as counted:
        PUT.run(entry("a"))
        leave(over_postgresql)
        with pytest.raises(DBAPIError):
            PUT.run(entry("b"))
        db.session.rollback()
        PUT.run(entry("c"))
        db.session.rollback()
    assert (counted.begins, counted.rollbacks) == (2, 1)
    assert counts()[0] == 0


def test_a_session_that_cannot_take_over_leaves_it_to_be_rolled_back(
    over_postgresql: Flask,
) -> None:
    PUT.run(entry("a"))
    leave(over_postgresql)
    with pytest.raises(DBAPIError):
        PUT.run(entry("b"))
    for _ in range(2):
        with pytest.raises(PendingRollbackError):
            db.session()
    assert len(sessions._open) == 1
    db.session.remove()
    db.session.add(Entry(**entry("c")))
    db.session.commit()
    assert kept("a", "b", "c") == [False, False, True]


def test_the_connection_of_an_ordinary_pool_is_closed(database_url: str, app: Flask) -> None:
    """An engine that was made for something else is used as it is."""
    closed: list[object] = []
    ordinary = create_engine(database_url, poolclass=NullPool)
    prepare_engine(ordinary)
    event.listen(ordinary, "close", lambda connection, _record: closed.append(connection))
    transaction = begun(ordinary)
    below = transaction.connection.dbapi_connection
    transaction.rollback()
    assert closed == [below]
    broken = begun(ordinary)
    broken.invalidate()
    broken.rollback()
    with pytest.raises(PendingRollbackError):
        broken.commit()
    assert len(closed) == 2


def begun(engine: Engine) -> Transaction:
    transaction = Transaction(engine)
    transaction.begin()
    return transaction
