"""What goes wrong below a plain statement: nothing is taken for another thing, or for done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import String, bindparam, column, select, table, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from idp.models import db
from idp.models.plain import Plain
from tests.models.test_plain import GET, PUT, entry
from tests.services.bare import bare_app


@pytest.fixture
def app(postgresql_url: str) -> Iterator[Flask]:
    app = bare_app(postgresql_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_a_commit_that_the_server_made_a_rollback_is_an_error(app: Flask) -> None:
    """PostgreSQL answers COMMIT in a failed transaction with success, and ROLLBACK as its name."""
    PUT.run(entry("k"))
    with pytest.raises(IntegrityError):
        PUT.run(entry("k"))
    with pytest.raises(DBAPIError):
        db.session.commit()
    db.session.rollback()
    assert GET.one({"key": "k"}) is None
    PUT.run(entry("k"))
    db.session.commit()
    assert GET.one({"key": "k"}) is not None


_PREPARED = "SELECT name, statement FROM pg_prepared_statements"


@contextmanager
def alone() -> Iterator[Any]:
    """The connection that a statement by itself goes over: the one used last."""
    connection = db.engine.raw_connection()
    try:
        yield connection.dbapi_connection
    finally:
        connection.close()


def test_a_name_stands_for_one_statement_whoever_prepared_it(app: Flask) -> None:
    """Behind a pool of connections that many share, another process has prepared its own there."""
    PUT.run(entry("k"))
    db.session.commit()
    GET.one({"key": "k"})
    with alone() as connection:
        names = connection.execute(_PREPARED).fetchall()
        connection.rollback()
    assert len(names) == 2
    db.engine.dispose()
    GET.one({"key": "k"})
    PUT.run(entry("l"))
    db.session.commit()
    with alone() as connection:
        again = connection.execute(_PREPARED).fetchall()
        connection.rollback()
    assert sorted(again) == sorted(names)


def test_what_somebody_else_has_prepared_there_does(app: Flask) -> None:
    GET.one({"key": "k"})
    with alone() as connection:
        (name, told) = connection.execute(_PREPARED).fetchone()
        connection.rollback()
    db.engine.dispose()
    with alone() as connection:
        connection.pgconn.prepare(name.encode(), told.encode())
    assert GET.one({"key": "k"}) is None
    PUT.run(entry("k"))
    db.session.commit()
    assert GET.one({"key": "k"}) is not None


def test_after_a_migration_statements_are_prepared_anew(app: Flask) -> None:
    """A prepared plan whose columns have other types now is refused by the server, for good."""
    notes = table("notes", column("id", String), column("text", String))
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (id varchar(9), text varchar(9))"))
        connection.execute(text("INSERT INTO notes VALUES ('a', 'b')"))
    read = Plain(select(notes.c.text).where(notes.c.id == bindparam("id", "")))
    assert read.value({"id": "a"}) == "b"
    with psycopg.connect(
        db.engine.url.set(drivername="postgresql").render_as_string(False)
    ) as other:
        other.execute("ALTER TABLE notes ALTER COLUMN text TYPE varchar(20)")
    with pytest.raises(DBAPIError):
        read.value({"id": "a"})
    assert read.value({"id": "a"}) == "b"


def test_a_value_of_a_type_that_is_not_known_is_refused_and_not_written_as_python_shows_it(
    app: Flask,
) -> None:
    with pytest.raises((TypeError, DBAPIError)):
        PUT.run(entry("k", owner=b"bytes"))
    db.session.rollback()
    assert GET.one({"key": "k"}) is None
