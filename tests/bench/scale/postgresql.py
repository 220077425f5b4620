"""Rows by the million into PostgreSQL."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeAlias

import psycopg
from sqlalchemy import URL

from tests.bench.scale.made_up import Progress, Table

AT_ONCE: Final = 2
_FAST: Final = (
    "SET session_replication_role = replica",
    "SET synchronous_commit = off",
    "SET maintenance_work_mem = '512MB'",
    "SET max_parallel_maintenance_workers = 0",
)

_INDEXES: Final = """
    SELECT i.indexrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid),
           pg_get_indexdef(i.indexrelid)
    FROM pg_index i
    LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
    WHERE i.indrelid = %s::regclass
"""
_FOREIGN_KEYS: Final = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE contype = 'f'
"""

Connection: TypeAlias = "psycopg.Connection[tuple[str, ...]]"
Statements = Sequence[str]


def fill(url: URL, tables: Sequence[Table], progress: Progress) -> None:
    """Each table without its indexes, and then with them; two tables at a time.

    Keys to other tables are put back unchecked: to look each of them up takes longer than the rest,
    and that they hold is tested where there are few (``tests/bench/test_fill.py``).
    """
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        keys = connection.execute(_FOREIGN_KEYS).fetchall()
        _execute(connection, (f"ALTER TABLE {on} DROP CONSTRAINT {name}" for on, name, _ in keys))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(partial(_fill, conninfo, progress), tables))
        progress("postgresql: keys")
        _execute(
            connection,
            (f"ALTER TABLE {on} ADD CONSTRAINT {name} {how} NOT VALID" for on, name, how in keys),
        )
        # Nobody is at work any more beside whom a row might not be there yet: now every page is
        # known to have only what all may see, as in earnest after a while.
        connection.execute("VACUUM (FREEZE)")
        connection.execute("CHECKPOINT")


def _fill(conninfo: str, progress: Progress, table: Table) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        _execute(connection, _FAST)
        drop, make = _indexes(connection, table.name)
        _execute(connection, drop)
        progress(f"postgresql: {table.count:,} {table.name}")
        with connection.transaction():
            # What is made in the transaction that empties a table is not logged (wal_level).
            connection.execute(f"TRUNCATE {table.name}".encode())
            connection.execute(_insert(table).encode())
        progress(f"postgresql: indexes of {table.name}")
        _execute(connection, make)
        # Or the server would do it by itself, while something is measured.
        connection.execute(f"VACUUM (FREEZE, ANALYZE) {table.name}".encode())


def _indexes(connection: Connection, table: str) -> tuple[Statements, Statements]:
    """How to do away with them, and how to make them."""
    found = connection.execute(_INDEXES, [table]).fetchall()
    drop = [
        f"ALTER TABLE {table} DROP CONSTRAINT {key}" if key else f"DROP INDEX {index}"
        for index, key, _, _ in found
    ]
    make = [
        f"ALTER TABLE {table} ADD CONSTRAINT {key} {how}" if key else index
        for _, key, how, index in found
    ]
    return drop, make


def _insert(table: Table) -> str:
    columns, values = ", ".join(table.columns), ", ".join(table.columns.values())
    numbers = f"generate_series(0::bigint, {table.count - 1}) AS n(i)"
    return f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM {numbers}"  # noqa: S608


def _execute(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement.encode())
