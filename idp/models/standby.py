"""PostgreSQL in several places: what a process does while no server takes writes.

A URL with several hosts and ``target_session_attrs=read-write`` finds the primary. When there is
none, its standby still answers what only reads: keys, tokens that are verified. So a connection
to it is taken instead, never for long, and whoever writes over it is told to come again.
"""

from time import monotonic
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

LOOK_AGAIN: Final = 2.0
"""Seconds after which a connection to a standby is given up for another look at the primary."""

PATIENCE: Final = {"connect_timeout": 3, "tcp_user_timeout": 10_000}
"""libpq's own: seconds for a host to answer, milliseconds for it to take what was sent. Without
them a host that has lost its power is waited for until the kernel gives up."""

_SINCE: Final = "on standby since"
_READ_ONLY: Final = "25006"
"""SQLSTATE read_only_sql_transaction."""


def prepare(engine: Engine) -> None:
    """Let an engine follow the primary wherever it goes."""
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _look_again)
    event.listen(engine, "handle_error", _was_primary)


def on_standby(connection: Connection) -> bool:
    """Is it a connection that cannot write?"""
    return _SINCE in connection.info


def _connect(
    dialect: Dialect, entry: ConnectionPoolEntry, _arguments: Any, named: dict[str, Any]
) -> Any:
    for name, value in PATIENCE.items():
        named.setdefault(name, value)
    if named.get("target_session_attrs") not in ("read-write", "primary"):
        return None  # as usual
    try:
        return dialect.connect(**named)
    except dialect.loaded_dbapi.OperationalError:
        found = dialect.connect(**named | {"target_session_attrs": "any"})
        entry.info[_SINCE] = monotonic()
        return found


def _look_again(_connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """The pool connects anew when it is told that a connection is not good any more."""
    since = entry.info.get(_SINCE)
    if since is not None and monotonic() - since > LOOK_AGAIN:
        raise DisconnectionError


def _was_primary(failed: ExceptionContext) -> None:
    """A server that does not take writes is not, or no longer, the one to be connected to."""
    if getattr(failed.original_exception, "sqlstate", None) == _READ_ONLY:
        failed.is_disconnect = True
        failed.invalidate_pool_on_disconnect = False
