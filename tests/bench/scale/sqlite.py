"""Rows by the million into SQLite."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final

from sqlalchemy import URL

from idp.secrecy import digest
from tests.bench.scale.made_up import Progress, Table

_SERIES: Final = "RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
_FAST: Final = (
    "journal_mode=OFF",
    "synchronous=OFF",
    "cache_size=-1000000",
    "foreign_keys=OFF",
    "threads=2",
)
_KEY: Final = re.compile(r",\s*CONSTRAINT (\w+) (?:PRIMARY KEY|UNIQUE) \(([^)]+)\)")
_ROW_NUMBER: Final = re.compile(r"\bid INTEGER NOT NULL")


def fill(url: URL, tables: Sequence[Table], progress: Progress) -> None:
    """Each table without its indexes, and then with them.

    A key that is part of a table cannot be left out for a while: it becomes a unique index, which
    is all it was. (But not a number, which is where SQLite keeps the row.)
    """
    with closing(sqlite3.connect(url.database or "", isolation_level=None)) as connection:
        connection.create_function("digest", 1, digest, deterministic=True)
        for pragma in _FAST:
            connection.execute(f"PRAGMA {pragma}")
        for table in tables:
            progress(f"sqlite: {table.count:,} {table.name}")
            indexes = list(_bared(connection, table.name))
            _insert(connection, table)
            for index in indexes:
                connection.execute(index)
        progress("sqlite: analysing")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA journal_mode=WAL")


def _bared(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """Make the table anew without indexes; yields how to make them."""
    found = connection.execute("SELECT type, sql FROM sqlite_master WHERE tbl_name = ?", [table])
    made = found.fetchall()
    (create,) = (sql for kind, sql in made if kind == "table")
    connection.execute(f"DROP TABLE {table}")
    keys = [] if _ROW_NUMBER.search(create) else _KEY.findall(create)
    connection.execute(_KEY.sub("", create) if keys else create)
    yield from (sql for kind, sql in made if kind == "index" and sql)
    for name, columns in keys:
        yield f"CREATE UNIQUE INDEX {name} ON {table} ({columns})"


def _insert(connection: sqlite3.Connection, table: Table) -> None:
    columns, values = ", ".join(table.columns), ", ".join(table.columns.values())
    series = _SERIES.format(last=table.count - 1)
    insert = f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM n"  # noqa: S608
    connection.execute(f"WITH {series} {insert}")
