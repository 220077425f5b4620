"""Carry everything that is in an SQLite file into an empty PostgreSQL database, as it is stored."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Table, delete, func, inspect, make_url, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import OperationalError

from idp import migrate
from idp.models import Fact, db

_TABLES: Final = tuple(db.metadata.sorted_tables)
"""Each after those that it refers to."""


class NotTransferable(Exception):
    """Why nothing was carried over, in a sentence."""


def transfer(source: str, target: str) -> Mapping[str, int]:
    """Everything in the SQLite database into the PostgreSQL one, or nothing; rows by table.

    Both are URLs. What is stored encrypted stays so: the same keys read it there. Whoever else has
    the file open has to let go of it, and nobody gets at it or at the other database meanwhile.

    Raises ``NotTransferable``, or what the drivers do when one of them fails on the way.
    """
    _insist_on_kinds(source, target)
    found = migrate.revision(source)
    if found is None:
        raise NotTransferable("There is nothing yet that could be copied")
    if found != migrate.head():
        raise NotTransferable(
            f"What is there is at revision {found}, this version at {migrate.head()}: run"
            " `idp db upgrade` first"
        )
    try:
        _make_tables(target)
    except OperationalError as error:
        told = str(error.orig).strip().partition("\n")[0]
        raise NotTransferable(f"The other database cannot be used: {told}") from error
    with _alone_at(source) as rows, migrate.connected(target) as connection, connection.begin():
        _lock_empty(connection)
        return {table.name: _carried(table, rows, connection) for table in _TABLES}


def _insist_on_kinds(source: str, target: str) -> None:
    kinds = [make_url(url).get_backend_name() for url in (source, target)]
    if kinds != ["sqlite", "postgresql"]:
        raise NotTransferable(
            "This goes from SQLite to PostgreSQL. Of the same kind, copy as for a backup"
        )


def _make_tables(target: str) -> None:
    """Where nothing is, this version's; where they are, they have to be."""
    found = migrate.revision(target)
    if found == migrate.head():
        return
    with migrate.connected(target) as connection:
        if found or inspect(connection).get_table_names():
            raise NotTransferable("The other database is not empty: take a new one")
    migrate.upgrade(target)


@contextmanager
def _alone_at(source: str) -> Iterator[sqlite3.Connection]:
    """The file, with nobody else in it: who still writes there would write in vain.

    In its exclusive mode SQLite lets in nobody, and is not let in where anybody is, busy or not
    (sqlite.org/pragma.html#pragma_locking_mode).
    """
    with migrate.connected(source) as connection:
        opened: Any = connection.connection.driver_connection
        try:
            opened.execute("PRAGMA locking_mode=EXCLUSIVE")
            opened.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise NotTransferable(
                f"Another process has the file open: stop the server first ({error})"
            ) from error
        yield opened


def _lock_empty(connection: Connection) -> None:
    """Keep everybody else from the tables, in which nothing may be."""
    names = ", ".join(connection.dialect.identifier_preparer.format_table(one) for one in _TABLES)
    connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
    connection.execute(delete(Fact).where(Fact.name == migrate.READERS))  # comes along
    for table in _TABLES:
        if connection.scalar(select(select(table).exists())):
            raise NotTransferable(
                f"The other database is not empty: there is something in {table.name}"
            )
    # Rows that come into a table that was just emptied need not be looked at by VACUUM again.
    connection.exec_driver_sql(f"TRUNCATE {names}")
    # SQLite keeps instants without a zone: ours are of UTC.
    connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")


def _carried(table: Table, source: sqlite3.Connection, connection: Connection) -> int:
    """All rows of one table; how many they were."""
    preparer = connection.dialect.identifier_preparer
    name, columns = preparer.format_table(table), ", ".join(map(preparer.quote, table.c.keys()))
    rows = source.execute(str(select(table).compile(dialect=sqlite.dialect())))
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor:
            with cursor.copy(f"COPY {name} ({columns}) FROM STDIN (FREEZE)") as copy:
                for row in rows:
                    copy.write_row(row)
            count: int = cursor.rowcount
    except psycopg.DatabaseError as error:
        # What else it says shows the row.
        told = error.diag.message_primary or type(error).__name__
        raise NotTransferable(f"{table.name} could not be copied: {told}") from error
    _count_on(table, connection)
    connection.exec_driver_sql(f"ANALYZE {name}")
    return count


def _count_on(table: Table, connection: Connection) -> None:
    """Let numbers that the database gives go on after those that came along."""
    numbered = table.autoincrement_column
    if numbered is not None:
        sequence = func.pg_get_serial_sequence(table.name, numbered.name)
        last = select(func.max(numbered)).scalar_subquery()
        connection.execute(select(func.setval(sequence, last)))
