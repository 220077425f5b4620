"""The database handle, the column types every table shares, and how transactions begin."""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    ColumnElement,
    DateTime,
    Dialect,
    Engine,
    Index,
    MetaData,
    String,
    event,
)
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator, TypeEngine

from idp.json_text import dump_sorted
from idp.models import driver
from idp.models.pool import Pool, forget_broken
from idp.models.transactions import Sessions
from idp.secrecy import private_file

READ_ONLY = "idp_read_only"
"""Execution option: this transaction only reads, so SQLite need not take the write lock."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant with microseconds; SQLite, which has no zones, stores it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def by_bytes(length: int) -> TypeEngine[str]:
    """Text in the order of its bytes on both databases, so that an index finds by a beginning."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def index_of_some(name: str, *columns: str, which: ColumnElement[bool]) -> Index:
    """An index of the rows that are like this, and of no others."""
    return Index(name, *columns, sqlite_where=which, postgresql_where=which)


NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""A name for every constraint, so that a migration can drop what another made."""


class Base(DeclarativeBase):
    """Gives every table the naming rule and the column types above."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: Instant, dict[str, Any]: JSON, list[str]: JSON},
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
sessions = Sessions(
    db.session.session_factory, db.session.registry.scopefunc, engine=lambda: db.engine
)
db.session = sessions  # type: ignore[assignment]  # of sessions, whatever their class


def dialect() -> str:
    """Which database statements of this scope go to: ``postgresql`` or ``sqlite``."""
    return sessions.here()[1].dialect.name


if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def engine_options(database_url: str) -> dict[str, Any]:
    """Engine arguments that this program's guarantees rest on, by the URL's dialect."""
    # What a statement was given is in no error's text: it may be an address, or worse.
    options: dict[str, Any] = {
        "json_serializer": dump_sorted,
        "hide_parameters": True,
        "poolclass": Pool,
        "pool_timeout": 3,  # and then a 503: whoever waits longer keeps others waiting
    }
    if database_url.startswith("sqlite"):
        # Our own BEGIN (below): the driver's deferred one fails at the first contended write.
        return options | {"connect_args": {"isolation_level": None, "timeout": 5}}
    # The connection used last is the one whose statements are prepared.
    return options | {"pool_use_lifo": True, "pool_size": 10, "max_overflow": 10}


def prepare_engine(engine: Engine, *, limited: bool = False) -> None:
    """Make SQLite durable, concurrent and strict: WAL, foreign keys, an immediate write lock.

    PostgreSQL is that by itself, and its connections are looked at before they are handed out.
    ``limited``: let no statement on PostgreSQL take for ever. A migration may.
    """
    event.listen(engine, "handle_error", forget_broken)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _sqlite_make)
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        driver.prepare(engine)
        if limited:
            event.listen(engine, "connect", _postgresql_limit)


def _sqlite_make(
    _dialect: Dialect, _entry: ConnectionPoolEntry, arguments: Sequence[Any], _named: dict[str, Any]
) -> None:
    """A new database is for its owner only; SQLite gives its log and its index the same mode."""
    file = Path(str(arguments[0]))
    if file.parent.is_dir() and not file.exists():
        try:
            os.close(private_file(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:  # another process was faster
            pass
        except OSError as error:
            # As the driver would say it, but why: a folder that cannot be written, a full disk.
            raise sqlite3.OperationalError(f"{file}: {error.strerror}") from error


def _sqlite_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "busy_timeout=5000",
        "foreign_keys=ON",
        # KiB, of a large database only what was used: 2 MB would not hold the upper pages of its
        # indexes, and each look-up would read them anew.
        "cache_size=-16384",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _postgresql_limit(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """No statement of ours takes long: one that does waits for something that is wrong."""
    cursor = connection.cursor()
    for limit, seconds in (
        ("statement_timeout", 30),
        ("lock_timeout", 10),
        ("idle_in_transaction_session_timeout", 60),
    ):
        cursor.execute(f"SET {limit} = '{seconds}s'")
    cursor.close()
    connection.commit()  # or the first ROLLBACK would take the limits back


def _sqlite_begin(connection: Connection) -> None:
    below: Any = connection.connection.dbapi_connection
    if below.in_transaction:
        return  # it was a plain transaction before it became the session's
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def only_reads() -> None:
    """Say, before the first statement, that what follows until the next commit writes nothing.

    On PostgreSQL each statement then stands alone: without BEGIN and ROLLBACK there are two waits
    less, and psycopg keeps its prepared statements, which a ROLLBACK makes it forget.
    """
    options: dict[str, Any] = {READ_ONLY: True}
    if dialect() == "postgresql":
        options["isolation_level"] = "AUTOCOMMIT"
    db.session.connection(execution_options=options)


def release() -> None:
    """End a transaction that has only read: nothing is locked or held while a hash is computed."""
    db.session.commit()


@contextmanager
def reading() -> Iterator[None]:
    """Read what is in the block for itself, after whatever was to be committed.

    It keeps nobody from writing: for SQLite, anything else might be about to, and is given the
    write lock at its first statement.
    """
    release()
    only_reads()
    try:
        yield
    except BaseException:
        db.session.rollback()  # or each statement of what follows would be committed by itself
        raise
    release()


Row = Mapping[str, Any]
