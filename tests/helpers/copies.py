"""Copies of a PostgreSQL database, emptied and lent again: making one costs many times as much."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from psycopg import sql

from tests.helpers.ports import wait_until
from tests.helpers.postgres import PostgresCluster

_SHAPE: LiteralString = """
    SELECT relation.relname, relation.relkind, attribute.attname, attribute.atttypid::text
      FROM pg_class relation LEFT JOIN pg_attribute attribute
           ON attribute.attrelid = relation.oid AND NOT attribute.attisdropped
     WHERE relation.relnamespace = 'public'::regnamespace
    UNION ALL SELECT conname, 'constraint', pg_get_constraintdef(oid), '' FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgname, 'trigger', tgenabled::text, '' FROM pg_trigger WHERE NOT tgisinternal
     ORDER BY 1, 2, 3, 4
"""
_TABLES: LiteralString = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_OTHERS: LiteralString = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_RESTART: LiteralString = "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"
_LARGE = 32_000_000
"""Bytes. Whatever grew beyond is not worth emptying."""

_Row = tuple[object, ...]
_Connection = psycopg.Connection[_Row]


class Copies:
    """Lends copies of ``template``, which nobody may be connected to."""

    def __init__(self, cluster: PostgresCluster, template: str) -> None:
        self._cluster = cluster
        self._template = template
        self._spare: list[str] = []
        with self._connect(template) as connection:
            self._filled = [name for name in _tables(connection) if _has_rows(connection, name)]
            self._shape = _rows(connection, _SHAPE)
            self._filling = self._contents(connection)

    @contextmanager
    def lent(self, name: str) -> Iterator[str]:
        """The URL of a copy called ``name``, as new; nobody who was connected stays so."""
        if self._spare:
            self._cluster.rename(self._spare.pop(), name)
            url = self._cluster.url(name)
        else:
            url = self._cluster.create(name, template=self._template)
        try:
            yield url
        finally:
            self._take_back(name)

    def _take_back(self, name: str) -> None:
        with self._connect(name) as connection:
            emptied = self._emptied(connection)
        if not emptied:
            self._cluster.drop(name)
            return
        # Another name: whoever still knows the old one must not find it, nor the next one's rows.
        self._cluster.rename(name, f"spare_{name}")
        self._spare.append(f"spare_{name}")

    def _emptied(self, connection: _Connection) -> bool:
        """Is it as the template now? A test may have changed what cannot be emptied."""
        connection.execute(_OTHERS)
        wait_until(lambda: not _rows(connection, _OTHERS), seconds=10, what="the others' end")
        size = _rows(connection, "SELECT pg_database_size(current_database())")
        if size > [(_LARGE,)] or _rows(connection, _SHAPE) != self._shape:
            return False
        if self._contents(connection) != self._filling:
            return False
        # Neither foreign keys nor the triggers that keep logs from being changed.
        connection.execute("SET session_replication_role = replica")
        for table in _tables(connection):
            if table not in self._filled:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        connection.execute(_RESTART)
        return True

    def _contents(self, connection: _Connection) -> list[list[_Row]]:
        query = sql.SQL("SELECT t::text FROM {} t ORDER BY 1")
        return [
            connection.execute(query.format(sql.Identifier(name))).fetchall()
            for name in self._filled
        ]

    def _connect(self, name: str) -> _Connection:
        return psycopg.connect(self._cluster.conninfo(name), autocommit=True)


def _rows(connection: _Connection, statement: LiteralString) -> list[_Row]:
    return connection.execute(statement).fetchall()


def _tables(connection: _Connection) -> list[str]:
    return [str(name) for (name,) in _rows(connection, _TABLES)]


def _has_rows(connection: _Connection, table: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))
    return connection.execute(query).fetchone() is not None
