"""PostgreSQL in several places: what a process does while no server takes writes.

A URL with several hosts and ``target_session_attrs=read-write`` finds the primary. When there is
none, its standby still answers what only reads: keys, tokens that are verified. So a connection
to it is taken instead, never for long, and whoever writes over it is told to come again.
"""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, event
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
    """Let an engine follow the primary wherever it goes, if its connections come by ``connect``."""
    event.listen(engine, "checkout", _look_again)
    event.listen(engine, "handle_error", _was_primary)


def connect(
    open_one: Callable[..., Any], entry: ConnectionPoolEntry, named: Mapping[str, Any]
) -> Any:
    """A connection to the server that takes writes, or, when there is none, to its standby.

    ``open_one`` opens it, by libpq's parameters. Raises ``psycopg.OperationalError``.
    """
    named = {**PATIENCE, **named}
    if named.get("target_session_attrs") not in ("read-write", "primary"):
        return open_one(**named)
    try:
        return open_one(**named)
    except psycopg.OperationalError:
        found = open_one(**named | {"target_session_attrs": "any"})
        entry.info[_SINCE] = monotonic()
        return found


def takes_no_writes(error: BaseException | None) -> bool:
    """Did a server say so? It is not, or no longer, the one to be connected to."""
    return getattr(error, "sqlstate", None) == _READ_ONLY


def on_standby(connection: Connection) -> bool:
    """Is it a connection that cannot write?"""
    return _SINCE in connection.info


def _look_again(_connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """The pool connects anew when it is told that a connection is not good any more."""
    since = entry.info.get(_SINCE)
    if since is not None and monotonic() - since > LOOK_AGAIN:
        raise DisconnectionError


def _was_primary(failed: ExceptionContext) -> None:
    if takes_no_writes(failed.original_exception):
        failed.is_disconnect = True
        failed.invalidate_pool_on_disconnect = False
