"""A node that can be told to die, and what time it is: ``python -m tests.failures.node PORT``.

The test entry point: the program itself, put together as ``idp.wsgi`` does, with two things that
nothing in the shipped package can be made to do. It kills itself (SIGKILL) at a named point of a
transaction, and its clock goes wrong. Both are read from files in its working directory:

- ``failpoint``: a name of ``FAILPOINTS`` and a moment of ``MOMENTS``, used up by dying there;
- ``clock``: seconds that its time is off.

A process that died is replaced by the next at once, as a supervisor does.
"""

import os
import signal
import socket
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import Engine, event
from werkzeug.serving import make_server

from idp.app import create_app
from idp.clock import system_clock
from idp.config import load_settings
from idp.models import db
from tests.helpers.served import Quiet

_REFRESHED: Final = "UPDATE refresh_tokens SET used_at"

FAILPOINTS: Final[Mapping[str, tuple[str | tuple[str, ...], str]]] = {
    "code": ("UPDATE grants SET code_used_at", ""),
    "refresh token": ((_REFRESHED, f"WITH claimed AS \n({_REFRESHED}"), ""),
    "totp": ("UPDATE credentials SET counter", ""),
    "recovery_code": ("UPDATE credentials SET last_used_at", "used_at IS NULL"),
    "reset link": ("UPDATE entries SET used_at", "handle_hash"),
    "mailed link": ("UPDATE entries SET used_at", "handle_hash"),
    "passkey": ("INSERT INTO entries", "ON CONFLICT"),
    "device code": ("UPDATE device_requests SET used_at", ""),
}
"""The statement that claims each: how it begins, and what else is in it."""

MOMENTS: Final = ("claimed", "the next write", "before the commit", "before the answer")

ARMED: Final = Path("failpoint")
OFF: Final = Path("clock")

_CLAIMED: Final = "failpoint passed"


def arm(folder: Path, name: str, moment: str) -> None:
    """Let the node that works in ``folder`` die there, once."""
    (folder / ARMED).write_text(f"{name}\n{moment}")


def skewed_clock() -> datetime:
    """The machine's time, as far off as the file says."""
    off = float(OFF.read_text()) if OFF.exists() else 0
    return system_clock() + timedelta(seconds=off)


def _armed() -> tuple[str, str]:
    try:
        name, moment = ARMED.read_text().split("\n")
    except (FileNotFoundError, ValueError):
        return "", ""
    return name, moment


def _claims(name: str, statement: str) -> bool:
    beginning, part = FAILPOINTS[name]
    return statement.startswith(beginning) and part in statement


def _die() -> None:
    ARMED.unlink()
    os.kill(os.getpid(), signal.SIGKILL)


def _watch(engine: Engine) -> None:
    @event.listens_for(engine, "after_cursor_execute")
    def claimed(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if connection is None:
            return  # a transaction of one statement: nothing comes after it
        name, moment = _armed()
        wrote = statement.startswith(("INSERT", "UPDATE", "DELETE"))
        if wrote and moment == "the next write" and connection.info.get(_CLAIMED):
            _die()
        if name and _claims(name, statement):
            connection.info[_CLAIMED] = True
            if moment == "claimed":
                _die()

    @event.listens_for(engine, "commit")
    def committing(connection: Any) -> None:
        if connection.info.get(_CLAIMED) and _armed()[1] == "before the commit":
            _die()

    @event.listens_for(engine, "checkin")
    def returned(_connection: Any, record: Any) -> None:
        if record.info.pop(_CLAIMED, False) and _armed()[1] == "before the answer":
            _die()


def _made() -> Flask:
    """Made once, for all lives: no connection is open yet that they would share."""
    app = create_app(load_settings(), clock=skewed_clock)
    with app.app_context():
        _watch(db.engine)
    return app


def _serve(app: Flask, listening: int, port: int) -> None:
    """One life."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet, fd=listening)
    server.serve_forever()


def main(port: int) -> None:
    """Serve until SIGTERM, in one process after the other."""
    app = _made()
    with socket.create_server(("127.0.0.1", port)) as listener:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        while True:
            child = os.fork()
            if child == 0:
                _serve(app, listener.fileno(), port)
            signal.signal(signal.SIGTERM, lambda *_, child=child: _end(child))
            os.waitpid(child, 0)


def _end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
