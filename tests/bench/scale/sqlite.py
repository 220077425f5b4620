"""Rows by the million into SQLite."""

import sqlite3
from collections.abc import Sequence
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


def fill(url: URL, tables: Sequence[Table], progress: Progress) -> None:
    """One row after the other, with the indexes there.

    Made afterwards, their pages would all be full, and whatever came next would split one: what
    happens now and then in a database that is in use would happen with every row.
    """
    with closing(sqlite3.connect(url.database or "", isolation_level=None)) as connection:
        connection.create_function("digest", 1, digest, deterministic=True)
        for pragma in _FAST:
            connection.execute(f"PRAGMA {pragma}")
        for table in tables:
            progress(f"sqlite: {table.count:,} {table.name}")
            _insert(connection, table)
        progress("sqlite: analysing")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA journal_mode=WAL")


def _insert(connection: sqlite3.Connection, table: Table) -> None:
    columns, values = ", ".join(table.columns), ", ".join(table.columns.values())
    series = _SERIES.format(last=table.count - 1)
    insert = f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM n"  # noqa: S608
    connection.execute(f"WITH {series} {insert}")
