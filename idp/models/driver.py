"""Talking to the database below SQLAlchemy: connections, and statements that are ready to send."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final, cast

import psycopg
from psycopg.errors import (
    DivisionByZero,
    DuplicatePreparedStatement,
    FeatureNotSupported,
    InvalidSqlStatementName,
    error_from_result,
)
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from idp.models import standby
from idp.models.pipeline import Prepared, together, waiting_for
from idp.models.values import Convert

_KEEPALIVES: Final = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
"""The kernel asks idle connections whether they live, so that no request has to (seconds)."""

_GOOD: Final = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})
_OPEN: Final = frozenset({TransactionStatus.INTRANS, TransactionStatus.INERROR})


@dataclass(frozen=True, eq=False)
class Text:
    """A statement as one dialect takes it.

    ``name`` is what it is prepared as: it says what the statement is, so that none is ever taken
    for another, whoever prepared it on a connection that is shared (by pgbouncer, say).
    ``names`` are its values in order, of which ``fixed`` come with it. ``dumps`` and ``loads``
    turn values into the driver's and what is found into ours; None leaves it as it is. ``empty``
    are what PostgreSQL is handed for None. ``tables`` are all that it names.
    """

    text: str
    name: bytes
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    writes: bool
    tables: frozenset[str]
    dumps: tuple[Convert | None, ...]
    empty: tuple[bytes | None, ...]
    loads: tuple[Convert | None, ...]
    row: Callable[..., Any]

    @cached_property
    def columns(self) -> tuple[tuple[int, Convert], ...]:
        """By their places, what reads them; nothing is left as it is of what libpq finds."""
        return tuple(enumerate(cast("tuple[Convert, ...]", self.loads)))

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """What SQLite's driver is handed. Raises ``KeyError`` for a value that is missing."""
        known = {**self.fixed, **given} if self.fixed else given
        return [dump(known[name]) if dump else known[name] for name, dump in self.places]

    def encoded(self, given: Mapping[str, Any]) -> list[Any]:
        """What libpq is handed, bytes or None. Raises ``KeyError`` for a value that is missing,
        and ``DataError`` for one that cannot be written."""
        known = {**self.fixed, **given} if self.fixed else given
        try:
            found = [
                write(value) if (value := known[name]) is not None else nothing
                for name, write, nothing in self.writers
            ]
        except TypeError as error:
            raise psycopg.DataError("a value is not of the type of its column") from error
        if 0 in b"".join(filter(None, found)):  # libpq would take what stands before it
            raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        return found

    @cached_property
    def places(self) -> tuple[tuple[str, Convert | None], ...]:
        """The names in order, each with what writes its value."""
        return tuple(zip(self.names, self.dumps, strict=True))

    @cached_property
    def writers(self) -> tuple[tuple[str, Convert, bytes | None], ...]:
        """The same, and with what stands for None; nothing is handed to libpq as it is."""
        dumps = cast("tuple[Convert, ...]", self.dumps)
        return tuple(zip(self.names, dumps, self.empty, strict=True))


Sent = tuple[Text, Mapping[str, Any]]
"""A statement and its values, by their names."""


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
            _ended(_succeed(self, self.pgconn.exec_(word)), word)
        elif status != TransactionStatus.IDLE:
            otherwise()


def _ended(answer: Any, word: bytes = b"COMMIT") -> None:
    if answer.command_status != word:
        # A transaction in which something failed: PostgreSQL calls that a success.
        raise psycopg.OperationalError("nothing was committed: a statement had failed")


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
        if waiting_for(connection).poll(0):
            connection.execute("")  # a notice, perhaps
            connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError from error


def _succeed(connection: Connection, result: Any) -> Any:
    if result.status in _GOOD:
        return result
    if connection.pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError(connection.pgconn.get_error_message())
    error = error_from_result(result, encoding=connection.info.encoding)
    if isinstance(error, InvalidSqlStatementName):
        connection.prepared.clear()  # somebody's DISCARD ALL: the next try prepares again
    raise error


Found = Sequence[list[Any]]
"""The rows that each of several statements found."""


def send_to_postgresql(proxied: PoolProxiedConnection, sent: Sequence[Sent], joins: bool) -> Found:
    """Send them, prepared. Raises ``psycopg.Error``."""
    connection: Connection = proxied.dbapi_connection  # type: ignore[assignment]
    begins = joins and _begins(connection, sent)
    if begins or len(sent) > 1:
        answers = _answers(connection, sent, begins=begins)[-len(sent) :]
        return [_rows(text, answer) for (text, _), answer in zip(sent, answers, strict=True)]
    text, given = sent[0]
    return [_rows(text, _answer(connection, text, given))]


def _rows(text: Text, found: Any) -> list[Any]:
    get, row, columns = found.get_value, text.row, text.columns
    return [
        row(*[None if (cell := get(i, j)) is None else load(cell) for j, load in columns])
        for i in range(found.ntuples if columns else 0)
    ]


def commit_on_postgresql(
    proxied: PoolProxiedConnection, sent: Sequence[Sent], joins: bool
) -> Found:
    """Send them and COMMIT: all of them hold, or none. Raises ``psycopg.Error``."""
    connection: Connection = proxied.dbapi_connection  # type: ignore[assignment]
    begins = joins and _begins(connection, sent)
    _ended(_answers(connection, sent, begins=begins, commits=True)[-1])
    return []


def _answers(
    connection: Connection, sent: Sequence[Sent], *, begins: bool, commits: bool = False
) -> list[Any]:
    """To each, in order; also to BEGIN and COMMIT, where they go with them."""
    statements = _ready(connection, sent)
    answers = together(connection, statements, begins=begins, commits=commits)
    return [_succeed(connection, one) for one in answers]


def _answer(connection: Connection, text: Text, given: Mapping[str, Any]) -> Any:
    """To one alone."""
    values = text.encoded(given)
    if text.name not in connection.prepared:
        _prepare(connection, text)
    return _succeed(connection, connection.pgconn.exec_prepared(text.name, values))


def _begins(connection: Connection, sent: Sequence[Sent]) -> bool:
    if not _is_idle(connection.pgconn) or connection.autocommit:
        return False
    return any(text.writes for text, _values in sent)


def _ready(connection: Connection, sent: Sequence[Sent]) -> list[Prepared]:
    for text, _values in sent:
        if text.name not in connection.prepared:
            _prepare(connection, text)
    return [(text.name, text.encoded(given)) for text, given in sent]


def is_at_rest(connection: Any) -> bool:
    """Is there no transaction on it?"""
    if isinstance(connection, sqlite3.Connection):
        return not connection.in_transaction
    return _is_idle(connection.pgconn)


def _is_idle(libpq: Any) -> bool:
    idle: bool = libpq.transaction_status == TransactionStatus.IDLE
    return idle


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


def found_nothing(error: BaseException | None) -> bool:
    """Did a statement fail because it had to find something (``Plain.end_if``)?"""
    return isinstance(error, DivisionByZero)


def is_outdated(error: BaseException) -> bool:
    """Is it a statement that a migration has given other columns? It stays so until it is gone."""
    return isinstance(error, FeatureNotSupported)


def send_to_sqlite(proxied: PoolProxiedConnection, sent: Sequence[Sent], _joins: bool) -> Found:
    """The same of one. Raises ``sqlite3.Error``."""
    connection: Any = proxied.dbapi_connection
    ((text, given),) = sent
    loads = text.loads
    rows = connection.execute(text.text, text.values(given)).fetchall()
    found = [
        text.row(*[load(cell) if load else cell for load, cell in zip(loads, row, strict=True)])
        for row in rows
    ]
    return [found]


Send = Callable[[PoolProxiedConnection, Sequence[Sent], bool], Found]

SEND: Final[Mapping[str, Send]] = {"postgresql": send_to_postgresql, "sqlite": send_to_sqlite}
COMMIT_AFTER: Final[Mapping[str, Send]] = {"postgresql": commit_on_postgresql}
"""For which a wait can be spared."""
