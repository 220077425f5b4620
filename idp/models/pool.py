"""The pool of connections: SQLAlchemy's, and what plain statements have put down within reach.

Returning a connection to the pool and taking it out again costs more than a statement does. So
what plain statements are done with stays checked out as far as SQLAlchemy is concerned, and is
the first to be taken again, by them or by a session. It goes back for good as soon as somebody
may be waiting for one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any, Final

from sqlalchemy import Engine, QueuePool
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import PoolProxiedConnection

from idp.models import driver

_given: Final = local()
"""``connection``: what this thread's session is to take over."""


class Pool(QueuePool):
    """Counts what lies within reach as idle, as it is."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._within_reach: list[PoolProxiedConnection] = []

    def connect(self) -> PoolProxiedConnection:
        """A connection: the one to be taken over, one within reach, or as SQLAlchemy has it."""
        return getattr(_given, "connection", None) or self._reached() or super().connect()

    def put_down(self, connection: PoolProxiedConnection) -> None:
        """Keep it within reach, unless it is not at rest, or all there may be are in use."""
        below: Any = connection.dbapi_connection
        if below is None:
            return  # it broke, and is with the pool already
        # One that is older than the last ``dispose`` is another pool's. And where no more may be
        # opened somebody may be waiting, who is only told of what goes back for good.
        mine = connection._pool is self and self._overflow < self._max_overflow
        if mine and driver.is_at_rest(below):
            self.dispatch.checkin(below, connection)  # which has what its record has, its ``info``
            self._within_reach.append(connection)
        else:
            connection.close()

    def _reached(self) -> PoolProxiedConnection | None:
        while (connection := self._taken()) is not None:
            try:
                self.dispatch.checkout(connection.dbapi_connection, connection, connection)
            except DisconnectionError as error:
                connection.invalidate(error)
            else:
                return connection
        return None

    def _taken(self) -> PoolProxiedConnection | None:
        try:
            return self._within_reach.pop()
        except IndexError:  # maybe another thread was quicker
            return None

    def let_go(self) -> None:
        """Nothing stays within reach."""
        while (connection := self._taken()) is not None:
            connection.close()

    def dispose(self) -> None:
        """Close what is idle."""
        self.let_go()
        super().dispose()

    def checkedout(self) -> int:
        """How many are in use."""
        return super().checkedout() - len(self._within_reach)

    def checkedin(self) -> int:
        """How many are not."""
        return super().checkedin() + len(self._within_reach)


def forget_broken(failed: ExceptionContext) -> None:
    """When one connection broke, SQLAlchemy looks at all others before it uses them again."""
    if failed.is_disconnect and failed.engine is not None and isinstance(failed.engine.pool, Pool):
        failed.engine.pool.let_go()


def give_back(engine: Engine, connection: PoolProxiedConnection) -> None:
    """Be done with a connection of the engine's."""
    if isinstance(engine.pool, Pool):
        engine.pool.put_down(connection)
    elif connection.dbapi_connection is not None:
        connection.close()


@contextmanager
def handing_over(connection: PoolProxiedConnection) -> Iterator[None]:
    """Have whoever connects in this thread, within the block, be given this one."""
    _given.connection = connection
    try:
        yield
    finally:
        _given.connection = None
