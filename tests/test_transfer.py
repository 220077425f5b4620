"""From an SQLite file into PostgreSQL: every row as it was, or nothing at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    func,
    insert,
    make_url,
    null,
    select,
    update,
)

from idp import migrate
from idp.models import Fact, User, db
from idp.models.base import Instant
from idp.transfer import NotTransferable, transfer
from tests.helpers.databases import Databases
from tests.test_migrations import connected

TABLES = db.metadata.sorted_tables


@dataclass(frozen=True)
class Pair:
    """Where it is, and where it is to be."""

    old: str
    new: str

    def file(self) -> str:
        return str(make_url(self.old).database)

    def refused(self) -> str:
        with pytest.raises(NotTransferable) as refused:
            transfer(self.old, self.new)
        return str(refused.value)


@pytest.fixture
def pair(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """Reached by somebody whose clock shows another zone's time."""
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    with databases.fresh("sqlite") as old, databases.fresh("postgresql") as new:
        yield Pair(old, new)


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    with connected(url) as connection, connection.begin():
        yield connection


AWKWARD = '\\N\t\n"ü😀'
"""What means something to whoever reads rows from text."""


def value(column: Column[Any], number: int) -> Any:
    """Something of the column's type, the same in every column that refers to another."""
    kind = column.type
    if isinstance(kind, Instant):
        return datetime(2026, 3, 4, 5, 6, 7, 891_011 * (number % 2), UTC)
    if isinstance(kind, JSON):
        return {"a": [AWKWARD, number, 1.5, None, True]}
    if isinstance(kind, LargeBinary):
        return bytes([0, 255, number]) + b"\\x00"
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, Integer):
        return number
    assert isinstance(kind, String)
    return f"{number}{AWKWARD}"


def full(table: Table, number: int) -> dict[str, Any]:
    return {column.name: value(column, number) for column in table.columns}


def scarce(table: Table, number: int) -> dict[str, Any]:
    """Nothing that need not be there, but for what is JSON, where nothing is a value."""
    row = full(table, number)
    for column in table.columns:
        if column.nullable and not column.foreign_keys:
            row[column.name] = null()
        elif isinstance(column.type, JSON):
            row[column.name] = JSON.NULL
    return row


def fill(url: str) -> None:
    """Three rows in every table."""
    with opened(url) as connection:
        for table in TABLES:
            for row in (full(table, 1), full(table, 2), scarce(table, 3)):
                connection.execute(insert(table).values(row))


def rows(url: str) -> dict[str, list[Any]]:
    """What is in the tables, and of what is nothing: of which kind."""
    found = {}
    with opened(url) as connection:
        for table in TABLES:
            absent = [column.is_(null()) for column in table.columns]
            everything = select(table, *absent)
            found[table.name] = sorted(map(repr, connection.execute(everything)))
    return found


def test_every_row_of_every_table_is_there_as_it_was(pair: Pair) -> None:
    fill(pair.old)
    before = rows(pair.old)
    copied = transfer(pair.old, pair.new)
    assert rows(pair.new) == before == rows(pair.old)
    facts = Fact.__tablename__
    assert copied == {table.name: 3 + (table.name == facts) for table in TABLES}


def test_numbers_go_on_after_the_last(pair: Pair) -> None:
    fill(pair.old)
    transfer(pair.old, pair.new)
    numbered = [(one, one.autoincrement_column) for one in TABLES]
    with opened(pair.new) as connection:
        nexts = {
            table.name: connection.scalar(
                select(func.nextval(func.pg_get_serial_sequence(table.name, column.name)))
            )
            for table, column in numbered
            if column is not None
        }
    assert len(nexts) >= 3
    assert set(nexts.values()) == {4}


def test_where_nothing_is_tables_are_made(databases: Databases) -> None:
    with (
        databases.fresh("sqlite") as old,
        databases.fresh("postgresql", migrated=False) as new,
    ):
        fill(old)
        transfer(old, new)
        assert migrate.pending(new) == ()
        assert rows(new) == rows(old)


def test_an_empty_database_is_carried_too(pair: Pair) -> None:
    assert sum(transfer(pair.old, pair.new).values()) == 1  # the note of who can read it
    assert rows(pair.new) == rows(pair.old)


def test_what_is_not_empty_is_left_alone(pair: Pair) -> None:
    fill(pair.old)
    transfer(pair.old, pair.new)
    assert "not empty" in pair.refused()
    assert rows(pair.new) == rows(pair.old)


def test_tables_of_somebody_else_are_left_alone(databases: Databases) -> None:
    with (
        databases.fresh("sqlite") as old,
        databases.fresh("postgresql", migrated=False) as new,
    ):
        with opened(new) as connection:
            connection.exec_driver_sql("CREATE TABLE users (name text)")
        assert "not empty" in Pair(old, new).refused()
        assert migrate.revision(new) is None


def test_a_file_that_a_server_has_open_is_left_alone(pair: Pair) -> None:
    """Be it at work or not: a pool of connections is enough."""
    with closing(sqlite3.connect(pair.file())) as server:
        server.execute("SELECT count(*) FROM users").fetchall()
        assert "stop the server" in pair.refused()
    assert transfer(pair.old, pair.new)


def test_a_row_that_does_not_fit_is_told_without_what_is_in_it(pair: Pair) -> None:
    fill(pair.old)
    long = "a-name-to-keep-to-oneself" * 20
    with opened(pair.old) as connection:
        connection.execute(update(User).values(name=long))
    told = pair.refused()
    assert "users" in told
    assert "too long" in told
    assert "keep-to-oneself" not in told
    assert not any(found for name, found in rows(pair.new).items() if name != "facts")
    with opened(pair.old) as connection:
        connection.execute(update(User).values(name="short"))
    transfer(pair.old, pair.new)
    assert rows(pair.new) == rows(pair.old)


def test_a_database_that_does_not_answer_is_told_without_its_password(pair: Pair) -> None:
    told = Pair(pair.old, "postgresql+psycopg://idp:hunter2@127.0.0.1:9/idp").refused()
    assert told.startswith("The other database cannot be used: ")
    assert "hunter2" not in told


def test_a_schema_of_another_version_is_upgraded_first(pair: Pair) -> None:
    migrate.downgrade(pair.old, "-1")
    assert "idp db upgrade" in pair.refused()


def test_where_nothing_is_nothing_is_made(pair: Pair, tmp_path: Path) -> None:
    assert "nothing yet" in Pair(f"sqlite:///{tmp_path}/none.sqlite3", pair.new).refused()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kinds", [("sqlite", "sqlite"), ("postgresql", "sqlite")])
def test_it_goes_one_way_alone(pair: Pair, kinds: tuple[str, str]) -> None:
    urls = {"sqlite": pair.old, "postgresql": pair.new}
    source, target = (urls[kind] for kind in kinds)
    assert "from SQLite to PostgreSQL" in Pair(source, target).refused()
