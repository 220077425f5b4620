"""Granian in this process: it listens, and its workers serve the application."""

import http.client
import logging
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Event
from threading import Thread
from time import monotonic, sleep
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import mp
from granian.server.mp import MPServer, WorkerProcess

from idp import heap, logs
from idp.app import serving_app
from idp.cli.answering import Answering
from idp.cli.awake import wake_for_signals
from idp.cli.refusals import Refused
from idp.config import Settings
from idp.web.bounded import READERS, Bounded
from idp.web.sizes import LARGER, MAX_BODY

KILLED_AFTER: Final = 10
"""Seconds that a worker has for the requests at hand once it was asked to end."""

READY_WITHIN: Final = 60
"""Seconds that a new worker has to come up; then the one that it replaces is ended all the same."""
SETTLED: Final = 0.5
"""Seconds from when a worker has loaded the application until it listens, at the most."""
HEADERS_WITHIN: Final = 15
"""Seconds for a request's headers to arrive, and for the next request on an open connection."""
LARGEST_HEADERS: Final = 64 * 1024
IDLE: Final = 600
"""Seconds without a request after which one of Granian's threads ends: the most there may be."""
CONNECTIONS: Final = 1024
"""Open at once to one worker; the next ones wait until they are accepted."""

_NO_HANDLERS: Final[dict[str, Any]] = {"formatters": {}, "handlers": {}, "loggers": {}}
"""What Granian has to say goes to our own log."""


_log = logging.getLogger("idp.server")


class Server(MPServer):
    """Calls ``announce`` when it answers; ends on SIGTERM once the requests at hand are done.

    On SIGHUP the settings are read anew, and it replaces one worker after the other, each when its
    successor is there: nobody notices. A worker never reads them itself, so all have the same, and
    one that ends by itself is replaced whatever somebody has just written into the file.
    """

    def __init__(
        self,
        host: str,
        port: int,
        settings: Settings,
        *,
        workers: int,
        threads: int,
        announce: Callable[[], None],
        read_anew: Callable[[], Settings],
    ) -> None:
        """``read_anew`` raises ``Refused`` for settings with which workers could not work."""
        super().__init__(
            "idp.wsgi:app",
            host,
            port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=threads + _who_only_wait(settings),
            blocking_threads_idle_timeout=IDLE,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEADERS_WITHIN * 1000, max_buffer_size=LARGEST_HEADERS
            ),
            backpressure=CONNECTIONS,
            websockets=False,
            log_level=LogLevels.warning,
            log_dictconfig=_NO_HANDLERS,
            # Never an access log: addresses hold links that sign in.
            log_access=False,
            respawn_failed_workers=True,
            respawn_interval=SETTLED,
            workers_kill_timeout=KILLED_AFTER,
        )
        self._where = (host, port)
        self._threads = threads
        self._loaded = multiprocessing.Event()
        self._replacing = False
        self._announce = announce
        self._settings = settings
        self._read_anew = read_anew

    def run(self, log_level: str) -> None:
        """Serve until told to stop."""
        logs.configure(log_level)
        heap.share()  # before any thread, and so before any worker
        wake_for_signals()
        os.register_at_fork(
            before=_hold_signals,
            after_in_parent=_take_signals,
            after_in_child=_listen_to_the_parent,
        )
        # Not a lambda: where processes are spawned and not forked, it has to be pickled.
        loader = partial(_load, os.getpid(), self._where[1], self._threads, self._loaded)
        # Past MPServer's own, which only warns of many threads: most of ours do nothing but wait.
        super(MPServer, self).serve(target_loader=loader, wrap_loader=False)

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        """Start the workers, then wait beside them for the first answer."""
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        Thread(target=self._wait, daemon=True).start()

    def _reload(self, spawn_target: Any, target_loader: Any) -> None:
        try:
            self._settings = self._read_anew()
        except Exception as error:  # whatever it is, those who serve go on
            self.reload_signal = False
            self.main_loop_interrupt.clear()
            trace = None if isinstance(error, Refused) else error
            _log.error("not reloaded, the workers go on as they are: %s", error, exc_info=trace)
        else:
            self.blocking_threads = self._threads + _who_only_wait(self._settings)
            super()._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]

    def _respawn_workers(
        self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        self._replacing = True
        super()._respawn_workers(workers, spawn_target, target_loader, delay)
        self._replacing = False

    def _spawn_worker(  # type: ignore[override]  # as it is in MPServer, if not above it
        self, idx: int, target: Any, callback_loader: Any
    ) -> WorkerProcess:
        loader = partial(callback_loader, self._settings)
        made: WorkerProcess = super()._spawn_worker(idx, target, loader)
        made.join = partial(_join_for_sure, made.is_alive, made.join)  # type: ignore[method-assign]
        if self._replacing:
            # The one before it is ended once this returns, and not while nobody else answers.
            made.start = partial(_start_and_wait, made, made.start, self._loaded)  # type: ignore[method-assign]
        return made

    def _wait(self) -> None:
        while not self.interrupt_signal and not answers(*self._where):
            sleep(0.05)
        if not self.interrupt_signal:
            self._announce()


def _who_only_wait(settings: Settings) -> int:
    """Threads beside those that work: for a hash, for their turn at one, for a slow client."""
    return settings.argon2_concurrency + settings.argon2_waiting + READERS


def _start_and_wait(worker: WorkerProcess, start: Callable[[], None], loaded: Event) -> None:
    """Until it has loaded the application, has ended, or its time is over."""
    loaded.clear()
    start()
    for _second in range(READY_WITHIN):
        if loaded.wait(1) or not worker.is_alive():  # type: ignore[no-untyped-call]
            return


def _join_for_sure(
    is_alive: Callable[[], bool],
    join: Callable[[float | None], None],
    timeout: float | None = None,
) -> None:
    """Until it has ended and this process knows it, or the time is over.

    Granian waits for each worker in a thread as well, and of two who wait one hears of the end a
    little later: it was seen to kill a worker that was gone, and to say so.
    """
    ends = monotonic() + (timeout or KILLED_AFTER)
    join(timeout)
    while is_alive() and monotonic() < ends:
        sleep(0.005)


def _load(parent: int, port: int, threads: int, loaded: Event, settings: Settings) -> Any:
    """The application, in a worker."""
    _listen_to_the_parent()
    wake_for_signals()
    Thread(target=_end_with, args=(parent,), daemon=True).start()
    app = Bounded(
        serving_app(settings),
        threads=threads,
        largest=MAX_BODY,
        larger=LARGER,
        trusted=settings.trusted_proxies,
    )
    app.bodies.watch(port)
    app.relay.watch()
    # When an answer was sent, Granian tells nobody: so its own adapter to WSGI is replaced.
    mp._wsgi_call_wrap = _answering  # type: ignore[attr-defined,assignment]
    loaded.set()
    return app


def _answering(app: Bounded, _options: object, _access_log: object) -> Answering:
    return Answering(app)


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


def cannot_listen(host: str, port: int) -> str | None:
    """Why nobody could listen there, as the system says it; None where somebody can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None
