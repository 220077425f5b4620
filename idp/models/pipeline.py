"""Several statements over one wait: libpq's pipeline mode.

PostgreSQL works on them in order and stops at the first that fails: what stands after it, COMMIT
included, is passed over.
"""

import select
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg.pq import ConnStatus, ExecStatus

_GLANCE: Final = 500
"""Milliseconds after which it is asked again whether there is something."""

Prepared = tuple[bytes, list[Any]]
"""The name of a statement that is ready on the connection, and its values."""


def together(
    connection: psycopg.Connection[Any],
    statements: Sequence[Prepared],
    *,
    begins: bool = False,
    commits: bool = False,
) -> list[Any]:
    """Send them, after BEGIN and before COMMIT as asked; the answers to all, errors among them.

    Raises ``psycopg.OperationalError`` when the connection broke, which it is then closed for:
    nobody would know which answer comes next.
    """
    libpq = connection.pgconn
    try:
        libpq.enter_pipeline_mode()
        if begins:
            libpq.send_query_params(b"BEGIN", None)
        for name, values in statements:
            libpq.send_query_prepared(name, values)
        if commits:
            libpq.send_query_params(b"COMMIT", None)
        libpq.pipeline_sync()
        answers = _answers(libpq, waiting_for(connection))
        libpq.exit_pipeline_mode()
    except BaseException:
        connection.close()
        raise
    return answers


def waiting_for(connection: Any) -> select.poll:
    """What waits until there is something to read, made once a connection."""
    waits: select.poll | None = getattr(connection, "waits", None)
    if waits is None:
        waits = connection.waits = select.poll()
        waits.register(connection.pgconn.socket, select.POLLIN)
    return waits


def _flush(libpq: Any) -> None:
    """More than the kernel takes at once, while it may have answers for us."""
    either = select.poll()
    either.register(libpq.socket, select.POLLIN | select.POLLOUT)
    while libpq.flush():
        either.poll()
        libpq.consume_input()


def _answers(libpq: Any, waits: select.poll) -> list[Any]:
    answers: list[Any] = []
    if libpq.flush():
        _flush(libpq)
    while True:
        while libpq.is_busy():
            # Here and not within libpq, which would keep all other threads waiting. That may hold
            # more of a TLS record than it gave out at once, of which the socket says nothing.
            waits.poll(_GLANCE)
            libpq.consume_input()
        answer = libpq.get_result()
        if answer is None:  # between the answers to two statements, or for ever
            if libpq.status != ConnStatus.OK:
                raise psycopg.OperationalError(libpq.get_error_message())
        elif answer.status == ExecStatus.PIPELINE_SYNC:
            return answers
        else:
            answers.append(answer)
