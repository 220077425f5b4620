"""Copies of a PostgreSQL database, emptied and lent again: making one costs many times as much."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import LiteralString

import psycopg
from psycopg import sql

from tests.helpers.ports import wait_until
from tests.helpers.postgres import PostgresCluster

_SHAPE: LiteralString = """
    SELECT md5(string_agg(shape::text, ' ' ORDER BY shape::text)) FROM (
    SELECT relation.relname, relation.relkind, attribute.attname, attribute.atttypid::text
      FROM pg_class relation LEFT JOIN pg_attribute attribute
           ON attribute.attrelid = relation.oid AND NOT attribute.attisdropped
     WHERE relation.relnamespace = 'public'::regnamespace
    UNION ALL SELECT conname, 'constraint', (conrelid, contype, conkey, convalidated,
           condeferrable, confrelid, confkey, confdeltype, conbin)::text, '' FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgname, 'trigger', tgenabled::text, '' FROM pg_trigger WHERE NOT tgisinternal
    ) shape
"""
_TABLES: LiteralString = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_OTHERS: LiteralString = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Neither by foreign keys nor by the triggers that keep logs from being changed.
_UNHINDERED = sql.SQL("SET session_replication_role = replica")
_RESTART = sql.SQL("SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence")
_LARGE = 32_000_000
"""Bytes. Whatever grew beyond is not worth emptying."""

_Row = tuple[object, ...]
_Connection = psycopg.Connection[_Row]


class Copies:
    """Lends copies of ``template``, which nobody may be connected to."""

    def __init__(self, cluster: PostgresCluster, template: str) -> None:
        self._cluster = cluster
        self._template = template
        self._numbers = count(1)
        self._spare: deque[str] = deque()
        with self._connect(template) as connection:
            tables = _tables(connection)
            self._filled = [name for name in tables if _has_rows(connection, name)]
            self._shape = _rows(connection, _SHAPE)
            self._filling = self._contents(connection)
        self._clearing = _clearing(name for name in tables if name not in self._filled)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of a copy, as new; nobody who was connected stays so."""
        name = f"copy_{next(self._numbers)}"
        if len(self._spare) > 1:
            # The one that rests longest: our own connection to it has ended by now, for which
            # PostgreSQL would wait a tenth of a second. And by another name, because whoever still
            # knows the old one must not find the next one's rows.
            self._cluster.reopen(self._spare.popleft(), name)
        else:
            self._cluster.create(name, template=self._template)
        try:
            yield self._cluster.url(name)
        finally:
            self._take_back(name)

    def _take_back(self, name: str) -> None:
        with self._connect(name) as connection:
            emptied = self._emptied(connection)
        if emptied:
            self._cluster.shut(name)
            self._spare.append(name)
        else:
            self._cluster.drop(name)

    def _emptied(self, connection: _Connection) -> bool:
        """Is it as the template now? A test may have changed what cannot be emptied."""
        if _rows(connection, _OTHERS):
            _await_their_end(connection)
        size = _rows(connection, "SELECT pg_database_size(current_database())")
        if size > [(_LARGE,)] or _rows(connection, _SHAPE) != self._shape:
            return False
        if self._contents(connection) != self._filling:
            return False
        connection.execute(self._clearing)
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


def _await_their_end(connection: _Connection) -> None:
    wait_until(
        lambda: not _rows(connection, _OTHERS), seconds=10, what="the others' end", every=0.005
    )


def _clearing(tables: Iterable[str]) -> sql.Composed:
    """All in one statement: nobody waits for sixty answers."""
    deletes = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in tables]
    return sql.SQL("; ").join([_UNHINDERED, *deletes, _RESTART])


def _tables(connection: _Connection) -> list[str]:
    return [str(name) for (name,) in _rows(connection, _TABLES)]


def _has_rows(connection: _Connection, table: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))
    return connection.execute(query).fetchone() is not None
