"""Statements of the paths that are walked all the time: written in Core, sent by the driver.

Compiled once, prepared once a connection, and read into plain tuples: what SQLAlchemy does around
a statement costs several times what the statement itself does. What only reads goes by itself
where no transaction is open. What writes joins the session's, as ORM and Core do, or begins one
that a session takes over (``transactions``), so that all of them see one another and end together.
"""

import hashlib
from collections import namedtuple
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final, TypeAlias
from weakref import WeakSet

from sqlalchemy import Engine, Integer, String, Table, literal_column, select
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.exc import DataError
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import Insert, UpdateBase
from sqlalchemy.sql.selectable import Select

from idp.json_text import dump_sorted
from idp.models import driver
from idp.models.ahead import Ahead
from idp.models.base import sessions
from idp.models.driver import Text
from idp.models.failures import checked_out
from idp.models.pool import give_back
from idp.models.sending import answered
from idp.models.transactions import Transaction
from idp.models.values import dump, load, nothing

PlainRow: TypeAlias = Any
"""A named tuple of what a statement found; its reader says which columns it needs."""

Core: TypeAlias = Select[Any] | UpdateBase
Values: TypeAlias = Mapping[str, Any]

_DIALECTS: Final = {
    "postgresql": psycopg.dialect(  # type: ignore[no-untyped-call]
        paramstyle="numeric_dollar", json_serializer=dump_sorted
    ),
    "sqlite": pysqlite.dialect(paramstyle="qmark", json_serializer=dump_sorted),
}


class Plain:
    """One statement, or the same for each dialect where they differ, and where one has it.

    Values go by the names of its ``bindparam``, or of an INSERT's columns. All raise what
    SQLAlchemy raises, ``DBAPIError``.
    """

    known: ClassVar[WeakSet["Plain"]] = WeakSet()
    """All there are, for whoever wants to know how a database goes about them."""

    def __init__(self, statement: Core | Mapping[str, Core]) -> None:
        same = {} if isinstance(statement, Mapping) else dict.fromkeys(_DIALECTS, statement)
        self._cores: Mapping[str, Core] = statement if isinstance(statement, Mapping) else same
        # An INSERT is another for other columns.
        self._by_values = any(isinstance(core, Insert) for core in self._cores.values())
        self._texts: dict[tuple[str, tuple[str, ...]], Text] = {}
        self.known.add(self)

    def is_a(self, kind: type) -> bool:
        """Is it a SELECT, an INSERT, …, for every dialect?"""
        return all(isinstance(core, kind) for core in self._cores.values())

    def is_for(self, dialect: str) -> bool:
        """Is there one for ``dialect``?"""
        return dialect in self._cores

    def can_be_alone(self) -> bool:
        """May it be a transaction by itself here: is there one, and is none open already?"""
        _scope, engine = sessions.here()
        return self.is_for(engine.dialect.name) and not sessions.in_transaction()

    def text(self, dialect: str) -> str:
        """As it is sent to ``dialect``; an INSERT without its values."""
        return _compiled(self._cores[dialect], dialect, ()).text

    def prepared_as(self, dialect: str) -> bytes:
        """What PostgreSQL knows it by; not an INSERT, which depends on its values."""
        return _compiled(self._cores[dialect], dialect, ()).name

    def untyped(self, dialect: str) -> set[str]:
        """The values that nothing is known of: the driver would write them as it thinks best."""
        compiled: Any = self._cores[dialect].compile(dialect=_DIALECTS[dialect])
        return {name for bound, name in compiled.bind_names.items() if bound.type._isnull}

    def all(self, values: Values) -> Sequence[PlainRow]:
        """Everything it finds."""
        scope, engine = sessions.here()
        text = self._text_for(engine, values)
        ahead = sessions.foreseen(scope, text)
        if ahead is not None and (found := ahead.take(text, values)) is not None:
            return found
        joined = sessions.joined(scope, engine, writes=text.writes)
        if joined is not None:
            return answered(engine, joined, joined.connection, text, values, ahead)
        return _send_alone(engine, text, values, ahead)

    def _text_for(self, engine: Engine, values: Values) -> Text:
        name = engine.dialect.name
        key = name, tuple(values) if self._by_values else ()
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = _compiled(self._cores[name], name, key[1])
        return text

    def one(self, values: Values) -> PlainRow | None:
        """The only row it finds, if it finds any."""
        rows = self.all(values)
        return rows[0] if rows else None

    def value(self, values: Values) -> Any:
        """The only column of that row; None when there is none."""
        rows = self.all(values)
        return rows[0][0] if rows else None

    def run(self, values: Values) -> None:
        """For a statement that finds nothing."""
        self.all(values)

    def later(self, values: Values) -> None:
        """Run it with the next statement of this transaction, or with its commit.

        For what nobody waits for: on PostgreSQL it takes no wait of its own. What goes wrong with
        it is raised there, and nothing that stands after it is done then. Nor is it done where the
        next one cannot be sent: either way the transaction can only be rolled back.
        """
        scope, engine = sessions.here()
        text = self._text_for(engine, values)
        joined = sessions.joined(scope, engine, writes=True)
        if isinstance(joined, Transaction) and engine.dialect.name in driver.COMMIT_AFTER:
            sessions.foreseen(scope, text)
            joined.waiting.append((text, values))
        else:
            self.all(values)

    def soon(self, values: Values) -> None:
        """Say that ``all`` will be asked for exactly this, of a statement that only reads.

        On PostgreSQL it goes with the next one that is waited for, and ``all`` has then what was
        found so; once, and for as long as this scope writes to nothing that it names and ends no
        transaction.
        Beside a session, which writes without a word, it is only asked when it is asked for.
        """
        scope, engine = sessions.here()
        if engine.dialect.name in driver.COMMIT_AFTER and sessions.session() is None:
            ahead = sessions.ahead.setdefault(scope, Ahead())
            ahead.ask(self._text_for(engine, values), values)

    def end_with(self, values: Values) -> Sequence[PlainRow]:
        """Run it as the last of its transaction, and commit. What it finds, like ``all``.

        Where none is open it is a transaction by itself: nobody has to be told of its begin and
        its end.
        """
        scope, engine = sessions.here()
        if sessions.in_transaction():
            found = self.all(values)
            sessions.commit()
            return found
        text = self._text_for(engine, values)
        ahead = sessions.foreseen(scope, text)
        return _send_alone(engine, text, values, ahead)

    def end_unwaited(self, values: Values) -> Sequence[PlainRow]:
        """The same, for what may be lost with a crash because that costs no more than a new try:
        where it is a transaction by itself, nobody waits until PostgreSQL has it on its disk.

        Everybody sees it at once all the same, and whatever is committed after it holds only if
        it does. What finds it has a column more.
        """
        statement = self if sessions.in_transaction() else self._unwaited
        return statement.end_with(values)

    def end_if(self, values: Values) -> bool:
        """Run it as the last of its transaction, and commit if it finds something; else nothing of
        that transaction holds. Did it?

        On PostgreSQL over one wait, as by ``later``: one that finds nothing fails, and the commit
        with it.
        """
        _scope, engine = sessions.here()
        if engine.dialect.name not in driver.COMMIT_AFTER:
            found = bool(self.all(values))
            (sessions.commit if found else sessions.rollback)()
            return found
        try:
            self._finding.later(values)
            sessions.commit()
        except DataError as error:
            if not driver.found_nothing(error.orig):
                raise
            sessions.rollback()
            return False
        return True

    @cached_property
    def _finding(self) -> "Plain":
        found = self._cores["postgresql"].cte("found")
        return Plain({"postgresql": select(FOUND_ANY).select_from(found)})

    @cached_property
    def _unwaited(self) -> "Plain":
        # SQLite, as it is set up here, waits for no disk at any commit.
        waiting: Any = self._cores["postgresql"]
        return Plain({**self._cores, "postgresql": waiting.returning(_UNWAITED)})


_UNWAITED: Final = literal_column("set_config('synchronous_commit', 'off', true)", String).label(
    "unwaited"
)
"""For the transaction at hand alone, looked at when that commits."""

FOUND_ANY: Final = literal_column("1 / count(*)", Integer).label("found_any")
"""Fails where there is nothing (``driver.found_nothing``)."""


def _compiled(core: Core, name: str, given: tuple[str, ...]) -> Text:
    dialect: Any = _DIALECTS[name]
    keys: list[str] | None = None
    if isinstance(core, Insert) and core.select is None:
        core, keys = core.inline(), list(given)  # no RETURNING that nobody asked for
    compiled: Any = core.compile(dialect=dialect, column_keys=keys)
    names = tuple(compiled.positiontup or ())
    binds = {name: bound for bound, name in compiled.bind_names.items()}
    columns = {str(key): column for key, column in core.exported_columns.items()}
    text = str(compiled)
    return Text(
        text=text,
        name=b"idp_%s" % hashlib.sha256(text.encode()).hexdigest()[:32].encode(),
        names=names,
        fixed={one: binds[one].effective_value for one in names if not binds[one].required},
        writes=_writes(core, compiled),
        tables=frozenset(one.name for one in visitors.iterate(core) if isinstance(one, Table)),
        dumps=tuple(dump(binds[one].type, dialect) for one in names),
        empty=tuple(nothing(binds[one].type) for one in names),
        loads=tuple(load(one.type, dialect) for one in columns.values()),
        row=namedtuple("Found", list(columns)),
    )


def _writes(core: Core, compiled: Any) -> bool:
    if not isinstance(core, Select) or core._for_update_arg is not None:
        return True
    return any(isinstance(cte.element, UpdateBase) for cte in compiled.ctes or ())


def _send_alone(
    engine: Engine, text: Text, values: Values, ahead: Ahead | None = None
) -> Sequence[PlainRow]:
    alone = checked_out(engine)
    try:
        return answered(engine, None, alone, text, values, ahead)
    finally:
        give_back(engine, alone)
