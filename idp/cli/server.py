"""Granian in this process: it listens, and its workers serve ``idp.wsgi:app``."""

import http.client
import os
import signal
import socket
from collections.abc import Callable
from functools import partial
from importlib import import_module
from threading import Thread
from time import sleep
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from idp import logs

KILLED_AFTER: Final = 10
"""Seconds that a worker has for the requests at hand once it was asked to end."""

_NO_HANDLERS: Final[dict[str, Any]] = {"formatters": {}, "handlers": {}, "loggers": {}}
"""What Granian has to say goes to our own log."""


class Server(MPServer):
    """Calls ``announce`` when it answers; ends on SIGTERM once the requests at hand are done."""

    def __init__(
        self, host: str, port: int, *, workers: int, threads: int, announce: Callable[[], None]
    ) -> None:
        super().__init__(
            "idp.wsgi:app",
            host,
            port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=threads,
            http=HTTPModes.http1,
            websockets=False,
            log_level=LogLevels.warning,
            log_dictconfig=_NO_HANDLERS,
            # Never an access log: addresses hold links that sign in.
            log_access=False,
            respawn_failed_workers=True,
            workers_kill_timeout=KILLED_AFTER,
        )
        self._where = (host, port)
        self._announce = announce

    def run(self, log_level: str) -> None:
        """Serve until told to stop."""
        logs.configure(log_level)
        os.register_at_fork(
            before=_hold_signals,
            after_in_parent=_take_signals,
            after_in_child=_listen_to_the_parent,
        )
        # Not a lambda: where processes are spawned and not forked, it has to be pickled.
        self.serve(target_loader=partial(_load, os.getpid()), wrap_loader=False)

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        """Start the workers, then wait beside them for the first answer."""
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        while not self.interrupt_signal and not answers(*self._where):
            sleep(0.05)
        if not self.interrupt_signal:
            self._announce()


def _load(parent: int) -> Any:
    """The application, in a worker."""
    _listen_to_the_parent()
    Thread(target=_end_with, args=(parent,), daemon=True).start()
    return import_module("idp.wsgi").app


def _hold_signals() -> None:
    """A SIGTERM that comes while a worker is being forked waits until the worker can hear it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _take_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _listen_to_the_parent() -> None:
    """Until it serves, a worker that is asked to end just does; the parent's handlers are not its.

    Ctrl-C reaches every process at the terminal: what ends a worker is the parent's SIGTERM.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    _take_signals()


def _end_with(parent: int) -> None:
    """A worker whose parent was killed must not go on holding the port."""
    while os.getppid() == parent:
        sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def answers(host: str, port: int) -> bool:
    """Does somebody answer /healthz there?"""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """An address to connect to for one that listens on all."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def can_listen(host: str, port: int) -> bool:
    """Is the port free?"""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
