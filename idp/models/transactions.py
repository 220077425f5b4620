"""Transactions: the session's where the ORM is at work, and one of less cost where it is not.

A session costs several times what the statements of a token request do. So plain statements begin
a transaction of their own where no session is; ``db.session`` ends either. A session that is
wanted later takes the open one over: whoever comes first, all see one another and end together.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.pool import PoolProxiedConnection

from idp.models import failures, sending
from idp.models.ahead import Ahead
from idp.models.driver import Sent, Text
from idp.models.pool import give_back, handing_over


class Transaction:
    """One that plain statements began. Listeners take it for SQLAlchemy's connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection = failures.checked_out(engine)
        self._broken = False
        self.waiting: list[Sent] = []
        """What is sent with the next statement, or with the commit."""
        self.lost = 0
        """How often it was not done that way: then the rest is not to hold without it."""

    @property
    def connection(self) -> PoolProxiedConnection:
        """What it goes over. Raises ``PendingRollbackError`` once that has broken."""
        if self._broken:
            raise PendingRollbackError(
                "The connection broke: the transaction has to be rolled back."
            )
        return self._connection

    @property
    def info(self) -> dict[str, Any]:
        """What is kept with the connection."""
        return self._connection.info

    def begin(self) -> None:
        """Say that it does; what a database needs for it, the engine's listeners send."""
        try:
            for tell in self._engine.dispatch.begin:
                tell(self)
        except BaseException:
            self._leave()
            raise

    def exec_driver_sql(self, text: str) -> None:
        """Send something that has no values. Raises ``DBAPIError``."""
        below: Any = self.connection.dbapi_connection
        try:
            below.execute(text)
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise failures.raised(error, self._engine, self, below=below) from error

    def get_execution_options(self) -> dict[str, Any]:
        """None."""
        return {}

    def invalidate(self, error: BaseException | None = None) -> None:
        """Give the connection up, and the transaction with it."""
        self._broken = True
        self._connection.invalidate(error)

    def commit(self) -> None:
        """Raises ``DBAPIError`` when it is not certain that it holds, and ``PendingRollbackError``
        when something that waited was not done."""
        connection = self.connection
        below = connection.dbapi_connection
        try:
            self._insist()
            for tell in self._engine.dispatch.commit:
                tell(self)
            self._commit(connection)
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise failures.raised(error, self._engine, self, below=below) from error
        finally:
            self._leave()

    def _commit(self, connection: PoolProxiedConnection) -> None:
        if self.waiting:
            sending.committed(self._engine, self, connection, self.waiting)
        else:
            connection.commit()

    def settle(self) -> None:
        """Send what waits. Raises ``DBAPIError``, and ``PendingRollbackError`` like ``commit``."""
        self._insist()
        if self.waiting:
            text, values = self.waiting.pop()
            sending.answered(self._engine, self, self.connection, text, values)

    def _insist(self) -> None:
        if self.lost:
            raise PendingRollbackError("A statement that waited was not done: all is rolled back.")

    def rollback(self) -> None:
        """As returning the connection does: what cannot be rolled back is not used again."""
        if not self._broken:
            for tell in self._engine.dispatch.rollback:
                tell(self)
        self._leave()

    def _leave(self) -> None:
        if not self._broken:
            give_back(self._engine, self._connection)


class Sessions(scoped_session[Session]):
    """``db.session``, which is not made in order to end what nobody began."""

    def __init__(
        self, make: Callable[[], Session], scope: Callable[[], int], engine: Callable[[], Engine]
    ) -> None:
        self._make = make
        self._scope = scope
        self._engine = engine
        self._engines: dict[int, Engine] = {}
        self._open: dict[int, Transaction] = {}
        self.ahead: dict[int, Ahead] = {}
        super().__init__(self._made, scope)  # type: ignore[arg-type]  # a factory is all it needs

    def here(self) -> tuple[int, Engine]:
        """The scope, and where its statements go: looked for once in each."""
        scope = self._scope()
        engine = self._engines.get(scope)
        if engine is None:
            engine = self._engines[scope] = self._engine()
        return scope, engine

    def joined(
        self, scope: int, engine: Engine, *, writes: bool
    ) -> Connection | Transaction | None:
        """What a plain statement of this scope is part of, if of anything: what is open, or, for
        one that ``writes``, what begins with it."""
        if (found := self._open.get(scope)) is not None:
            return found
        if (session := self.session()) is not None:
            return self._of_session(session, writes=writes)
        if not writes:
            return None
        found = Transaction(engine)
        found.begin()
        self._open[scope] = found
        return found

    def _of_session(self, session: Session, *, writes: bool) -> Connection | None:
        if not writes:
            if not session.in_transaction():
                return None
            session.flush()  # what is read has to show what was just changed, as with the ORM
        return session.connection()

    def session(self) -> Session | None:
        """This scope's, where one was made already."""
        # Mostly there is none anywhere, and then nobody has to know which scope this is.
        made: dict[int, Session] = self.registry.registry
        return made.get(self._scope()) if made else None

    def in_transaction(self) -> bool:
        """Is one open, of either kind?"""
        if self._scope() in self._open:
            return True
        session = self.session()
        return session is not None and session.in_transaction()

    def foreseen(self, scope: int, text: Text) -> Ahead | None:
        """What this scope has asked ahead, if anything: as it stands once ``text`` was sent."""
        ahead = self.ahead.get(scope) if self.ahead else None
        if ahead is not None and text.writes:
            ahead.written(text)
        return ahead

    def commit(self) -> None:
        """End what is open, if anything is."""
        transaction = self._taken()
        if transaction is not None:
            transaction.commit()
        elif self.session() is not None:
            super().commit()

    def rollback(self) -> None:
        """The same, and nothing of it holds."""
        transaction = self._taken()
        if transaction is not None:
            transaction.rollback()
        elif self.session() is not None:
            super().rollback()

    def remove(self) -> None:
        """At the end of the scope: what was not committed is rolled back."""
        self._engines.pop(self._scope(), None)
        transaction = self._taken()
        self.ahead.pop(self._scope(), None)
        if transaction is not None:
            transaction.rollback()
        if self.session() is not None:
            super().remove()

    def _taken(self) -> Transaction | None:
        """This scope's plain transaction, which is its taker's to end."""
        if self.ahead and (ahead := self.ahead.get(self._scope())) is not None:
            ahead.forget()
        return self._open.pop(self._scope(), None) if self._open else None

    def _made(self) -> Session:
        session, transaction = self._make(), self._open.get(self._scope())
        self.ahead.pop(self._scope(), None)
        if transaction is not None:
            transaction.settle()
            _take_over(session, transaction.connection)
            del self._open[self._scope()]
        return session


def _take_over(session: Session, connection: PoolProxiedConnection) -> None:
    with handing_over(connection):
        taken = session.connection().connection
    if taken is not connection:
        session.close()
        raise RuntimeError("the engine has another pool than transactions need")
