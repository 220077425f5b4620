"""Talking to the database below SQLAlchemy: connections, and statements that are ready to send."""

import json
import select
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, Final, cast

import psycopg
from psycopg.errors import (
    DuplicatePreparedStatement,
    FeatureNotSupported,
    InvalidSqlStatementName,
    error_from_result,
)
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from sqlalchemy import JSON, Dialect, Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.types import TypeEngine

from idp.models import standby

_KEEPALIVES: Final = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
"""The kernel asks idle connections whether they live, so that no request has to (seconds)."""

_GOOD: Final = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})
_OPEN: Final = frozenset({TransactionStatus.INTRANS, TransactionStatus.INERROR})

Convert = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Text:
    """A statement as one dialect takes it.

    ``name`` is what it is prepared as: it says what the statement is, so that none is ever taken
    for another, whoever prepared it on a connection that is shared (by pgbouncer, say).
    ``names`` are its values in order, of which ``fixed`` come with it. ``dumps`` and ``loads``
    turn values into the driver's and what is found into ours; None leaves it as it is.
    """

    text: str
    name: bytes
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    writes: bool
    dumps: tuple[Convert | None, ...]
    loads: tuple[Convert | None, ...]
    row: Callable[..., Any]

    @cached_property
    def columns(self) -> tuple[tuple[int, Convert], ...]:
        """By their places, what reads them; nothing is left as it is of what libpq finds."""
        return tuple(enumerate(cast("tuple[Convert, ...]", self.loads)))

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """What the driver is handed. Raises ``KeyError`` for a value that is missing."""
        known = {**self.fixed, **given} if self.fixed else given
        return [dump(known[name]) if dump else known[name] for name, dump in self.places]

    @cached_property
    def places(self) -> tuple[tuple[str, Convert | None], ...]:
        """The names in order, each with what writes its value."""
        return tuple(zip(self.names, self.dumps, strict=True))


class Connection(psycopg.Connection[Any]):
    """Ends transactions by one call into libpq instead of a coroutine around several.

    ``prepared`` are the names of the statements that are ready on it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.prepared: set[bytes] = set()

    def commit(self) -> None:
        """Raises ``psycopg.Error`` when it is not certain that it holds."""
        self._end(b"COMMIT", super().commit)

    def rollback(self) -> None:
        """Nothing to do is no error."""
        self._end(b"ROLLBACK", super().rollback)

    def _end(self, word: bytes, otherwise: Callable[[], None]) -> None:
        status = self.pgconn.transaction_status
        if status in _OPEN:
            ended = _succeed(self, self.pgconn.exec_(word))
            if ended.command_status != word:
                # A transaction in which something failed: PostgreSQL calls that a success.
                raise psycopg.OperationalError("nothing was committed: a statement had failed")
        elif status != TransactionStatus.IDLE:
            otherwise()


def prepare(engine: Engine) -> None:
    """Connect to PostgreSQL by connections of ours, and hand out none that the server has left."""
    event.listen(engine, "do_connect", _connect)
    standby.prepare(engine)
    event.listen(engine, "checkout", _check)


def _connect(
    _dialect: Dialect, entry: ConnectionPoolEntry, arguments: Sequence[Any], named: dict[str, Any]
) -> Any:
    # What is asked often is prepared here. psycopg would deallocate ours with its own, at any
    # ROLLBACK TO SAVEPOINT.
    # And what is sent is UTF-8, whatever the server's own encoding is.
    named = {**_KEEPALIVES, "client_encoding": "utf8", **named, "prepare_threshold": None}
    return standby.connect(partial(Connection.connect, *arguments), entry, named)


def _check(connection: Any, _entry: ConnectionPoolEntry, _proxied: PoolProxiedConnection) -> None:
    """A connection at rest has nothing to say: the server's farewell is all there could be to read.

    That costs a glance at the socket, where a ping is a round trip before every request.
    """
    try:
        poll = select.poll()
        poll.register(connection.pgconn.socket, select.POLLIN)
        if poll.poll(0):
            connection.execute("")  # a notice, perhaps
            connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError from error


def _succeed(connection: psycopg.Connection[Any], result: Any) -> Any:
    if result.status in _GOOD:
        return result
    if connection.pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError(connection.pgconn.get_error_message())
    raise error_from_result(result, encoding=connection.info.encoding)


def send_to_postgresql(
    proxied: PoolProxiedConnection, text: Text, given: Mapping[str, Any], joins: bool
) -> list[Any]:
    """Send it, prepared. Raises ``psycopg.Error``."""
    connection: Connection = proxied.dbapi_connection  # type: ignore[assignment]
    values = text.values(given)
    libpq = connection.pgconn
    if text.name not in connection.prepared:
        _prepare(connection, text)
    if joins and text.writes and _is_idle(libpq) and not connection.autocommit:
        _succeed(connection, libpq.exec_(b"BEGIN"))
    try:
        found = _succeed(connection, libpq.exec_prepared(text.name, values))
    except InvalidSqlStatementName:  # somebody's DISCARD ALL: the next try prepares it again
        connection.prepared.clear()
        raise
    get, row, columns = found.get_value, text.row, text.columns
    return [
        row(*[None if (cell := get(i, j)) is None else load(cell) for j, load in columns])
        for i in range(found.ntuples if columns else 0)
    ]


def is_at_rest(connection: Any) -> bool:
    """Is there no transaction on it?"""
    if isinstance(connection, sqlite3.Connection):
        return not connection.in_transaction
    return _is_idle(connection.pgconn)


def _is_idle(libpq: Any) -> bool:
    return bool(libpq.transaction_status == TransactionStatus.IDLE)


def _prepare(connection: Connection, text: Text) -> None:
    libpq = connection.pgconn
    idle = _is_idle(libpq)
    try:
        _succeed(connection, libpq.prepare(text.name, text.text.encode()))
    except DuplicatePreparedStatement:  # by another process, over the same connection
        connection.prepared.add(text.name)
        if not idle:  # the transaction has failed with it
            raise
    connection.prepared.add(text.name)


def is_outdated(error: BaseException) -> bool:
    """Is it a statement that a migration has given other columns? It stays so until it is gone."""
    return isinstance(error, FeatureNotSupported)


def send_to_sqlite(
    proxied: PoolProxiedConnection, text: Text, given: Mapping[str, Any], _joins: bool
) -> list[Any]:
    """The same. Raises ``sqlite3.Error``."""
    connection: Any = proxied.dbapi_connection
    loads = text.loads
    rows = connection.execute(text.text, text.values(given)).fetchall()
    return [
        text.row(*[load(cell) if load else cell for load, cell in zip(loads, row, strict=True)])
        for row in rows
    ]


SEND: Final = {"postgresql": send_to_postgresql, "sqlite": send_to_sqlite}


def dump(of: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How values of a type are handed to the driver."""
    own = of.dialect_impl(dialect).bind_processor(dialect)
    if dialect.name == "sqlite":
        return own
    return _json_of(of, dialect) if _kind(of) is dict else _WORDS.get(_kind(of), _word)


def load(of: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How what is found of a type is read; NULL stays None."""
    if dialect.name == "sqlite":
        return of.dialect_impl(dialect).result_processor(dialect, None)
    return _LOADS[_kind(of)]


def _kind(of: Any) -> type:
    """The Python type of a column type, also of one that decorates another."""
    own = getattr(of, "impl_instance", of)
    return dict if isinstance(own, JSON) else own.python_type


def _json_of(of: Any, dialect: Any) -> Convert:
    serialise = dialect._json_serializer
    nothing = None if of.none_as_null else b"null"
    return lambda value: nothing if value is None else _text(serialise(value))


def _word(value: Any) -> bytes | None:
    if value is None:
        return None
    return (_DUMPS.get(value.__class__) or _other)(value)


def _maybe_text(value: Any) -> bytes | None:
    if value.__class__ is not str or "\0" in value:
        return _word(value)
    encoded: bytes = value.encode()
    return encoded


def _text(value: str) -> bytes:
    if "\0" in value:  # libpq would take what stands before it for the whole
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return value.encode()


def _other(value: object) -> bytes:
    """What derives from one of these; anything else would be written as Python shows it."""
    if not isinstance(value, str | int | datetime):
        raise psycopg.DataError(f"a value of type {type(value).__name__} is not known here")
    return _text(str(value))


def _instant(value: bytes) -> datetime:
    return datetime.fromisoformat(value.decode()).astimezone(UTC)


_raw_decode: Final = json.JSONDecoder().raw_decode


def _read_json(value: bytes) -> Any:
    """What PostgreSQL keeps as JSON is one document, and UTF-8: only blanks may be around it."""
    return _raw_decode(value.decode().strip())[0]


_DUMPS: Final[Mapping[type, Convert]] = {
    str: _text,
    bool: lambda value: b"t" if value else b"f",
    datetime: lambda value: value.isoformat().encode(),
}
_WORDS: Final[Mapping[type, Convert]] = {str: _maybe_text}
"""What most values are, without a look at which they are."""
_LOADS: Final[Mapping[type, Convert]] = {
    str: bytes.decode,
    int: int,
    bool: lambda value: value == b"t",
    datetime: _instant,
    dict: _read_json,
}
