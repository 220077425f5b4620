"""What goes wrong below SQLAlchemy, told as SQLAlchemy tells it."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from idp.models import driver, standby


def checked_out(engine: Engine) -> PoolProxiedConnection:
    """A connection of the pool. Raises ``DBAPIError``, and ``TimeoutError`` when there is none."""
    try:
        return engine.pool.connect()
    except engine.dialect.loaded_dbapi.Error as error:
        raise _told(error, engine, None, broken=True) from error


def raised(
    error: Exception, engine: Engine, used: Any, *, below: Any, statement: str | None = None
) -> Exception:
    """``error`` without the values; where the connection ``below`` broke, ``used`` is not again.

    ``used`` is what to invalidate: the pool's connection, or the transaction that it is in.
    """
    broken = engine.dialect.is_disconnect(error, below, None)  # type: ignore[arg-type]
    broken = broken or standby.takes_no_writes(error) or driver.is_outdated(error)
    if broken:
        used.invalidate(error)
    return _told(error, engine, statement, broken=broken)


def _told(error: Exception, engine: Engine, statement: str | None, *, broken: bool) -> Exception:
    dialect = engine.dialect
    return DBAPIError.instance(
        statement,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=broken,
        dialect=dialect,
    )
