"""Clients that take their time: their requests hold a thread only once they are here whole.

A thread that waits for the rest of a body cannot be woken but by its connection's end. So whoever
is too slow has the connection cut, as it is cut for headers that do not come (by the server).
"""

import os
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from threading import Lock, Thread, get_ident
from time import monotonic, sleep
from typing import Final
from wsgiref.types import WSGIEnvironment

from idp import capacity, measures
from idp.services.networks import networks_of
from idp.web.proxy import Network, client_of, is_one_of

BODY_SECONDS: Final = 10.0
"""For a request's body to arrive, once its headers have."""
LARGE_SECONDS: Final = 60.0
"""For one of those that may be large: a file that somebody hands in."""
PRESSED_SECONDS: Final = 2.0
"""The same while more than half of those who may be slow are."""
HEARD_OUT: Final = 16 * 1024 * 1024
"""Bytes of a body that is too large and is taken in nevertheless, to be thrown away."""
HEARD_SECONDS: Final = 5.0
"""For how long that is done."""
_PIECE: Final = 64 * 1024


_LONGEST: Final = 20
"""Digits of a Content-Length."""


class CutShort(Exception):
    """The body is not as long as it was said to be: its sender went, or was sent away."""


def is_here(environ: WSGIEnvironment) -> bool:
    """Was the request's body received, so that nothing of it is with the server any more?"""
    return type(environ["wsgi.input"]) is BytesIO


class Shares:
    """So many places at once for each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, who: str | None) -> None:
        """One more of theirs; None is nobody in particular. Raises ``Busy``."""
        if who is None:
            return
        with self._lock:
            if self._held[who] >= self._most:
                measures.turned_away("body")
                raise capacity.Busy("body")
            self._held[who] += 1

    def give_back(self, who: str | None) -> None:
        """One less."""
        if who is None:
            return
        with self._lock:
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]


class Queue:
    """Places for bodies of one kind, and since when each that is being read is waited for."""

    def __init__(self, places: int, *, name: str) -> None:
        self._places = capacity.Places(places, name=name)
        self._since: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def read(self, environ: WSGIEnvironment, size: int) -> bytes:
        """So many bytes at most. Raises ``Busy``."""
        self._places.enter(patience=0)
        self._since[get_ident()] = monotonic()
        try:
            body: bytes = environ["wsgi.input"].read(size)
        finally:
            del self._since[get_ident()]
            self._places.leave()
        return body

    def longest(self) -> float:
        """Seconds that the oldest of them takes so far."""
        return monotonic() - min(list(self._since.values()), default=monotonic())


class Bodies:
    """Takes in bodies up to ``largest`` bytes, from ``readers`` clients at once that are slow.

    Of those ``from_one`` from one network, as ``trusted`` proxies tell it. ``larger`` are the
    paths where it may be more, one body at a time: it is held in memory. ``clock`` gives seconds.
    """

    def __init__(
        self,
        *,
        largest: int,
        readers: int,
        from_one: int,
        trusted: Sequence[Network] = (),
        larger: Mapping[str, int] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._clock = clock
        self._largest = largest
        self._larger = larger or {}
        self._trusted = trusted
        self._shares = Shares(from_one)
        self._readers = readers
        self._usual = Queue(readers, name="body")
        self._large = Queue(1, name="file")

    def receive(self, environ: WSGIEnvironment) -> None:
        """Have the body here. Raises ``Busy`` and ``CutShort``.

        Of one that is too large, nothing or the beginning: it will be refused.
        """
        length = environ.get("CONTENT_LENGTH") or ""
        if len(length) > _LONGEST:  # of zeros, and more than Python reads as a number
            raise CutShort
        size = int(length) if length.isascii() and length.isdigit() else None
        if size == 0 or (size is None and "HTTP_TRANSFER_ENCODING" not in environ):
            return
        # Without a length nothing is known beforehand: then no place makes it larger.
        most = self._largest if size is None else self._most_at(environ.get("PATH_INFO", ""))
        if size is not None and size > most:
            self._hear_out(environ, size)
            return
        queue = self._large if size is not None and size > self._largest else self._usual
        body = self._read(environ, queue, most + 1 if size is None else size)
        if size is None and len(body) > most:
            self._hear_out(environ, HEARD_OUT)
        if size is not None and len(body) != size:
            raise CutShort
        environ["wsgi.input"] = BytesIO(body)

    def _read(self, environ: WSGIEnvironment, queue: Queue, size: int) -> bytes:
        network = self._network(environ)
        self._shares.take(network)
        try:
            return queue.read(environ, size)
        finally:
            self._shares.give_back(network)

    def _hear_out(self, environ: WSGIEnvironment, size: int) -> None:
        """Let whoever sends too much come to an end, where that is near, and keep nothing of it.

        The server closes the connection of a request that it has not read, and whoever is still
        sending then may never see the answer (RFC 9112 section 9.6): a proxy says 502 for it.
        Who asks first whether to send has not begun; and where there is no place, so be it.
        """
        if size > HEARD_OUT or "HTTP_EXPECT" in environ:
            return
        until = self._clock() + HEARD_SECONDS
        with suppress(capacity.Busy):
            while size > 0 and self._clock() < until and self._read(environ, self._usual, _PIECE):
                size -= _PIECE

    def _most_at(self, path: str) -> int:
        return self._larger.get(path, self._largest)

    def _network(self, environ: WSGIEnvironment) -> str | None:
        """None for a proxy that does not say for whom it sends: it may be for everybody."""
        sender = environ.get("REMOTE_ADDR", "")
        client = client_of(environ, self._trusted)
        if client == sender and is_one_of(self._trusted, sender):
            return None
        return next(iter(networks_of(client)), None)

    def watch(self, port: int) -> None:
        """From now on cut whoever is too slow; ``port`` is the one that is listened on."""
        Thread(target=self._watch, args=(port,), name="slow clients", daemon=True).start()

    def _watch(self, port: int) -> None:
        while True:
            sleep(1)
            for queue, patience in ((self._usual, self.patience), (self._large, LARGE_SECONDS)):
                if queue.longest() > patience:
                    cut_unanswered(port, patience)

    @property
    def patience(self) -> float:
        """Seconds; fewer while there are many."""
        pressed = len(self._usual) * 2 > self._readers
        return PRESSED_SECONDS if pressed else BODY_SECONDS


def cut_unanswered(port: int, seconds: float) -> None:
    """End every connection to ``port`` that has been owed an answer for so long.

    Which of them a thread waits for cannot be asked. But one whose request has been here for this
    long is past the time of any request, and one that waits for the next is owed nothing.
    """
    for connection in _connections(port):
        with connection, suppress(OSError):
            if _owed_for(connection) >= seconds:
                measures.turned_away("slow")
                connection.shutdown(socket.SHUT_RDWR)


def _connections(port: int) -> Iterator[socket.socket]:
    """This process's, as duplicates: what is closed meanwhile is nobody else's. Linux only."""
    with suppress(FileNotFoundError):
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                    found = socket.socket(fileno=os.dup(int(name)))
                    if _is_to(found, port):
                        yield found
                    else:
                        found.close()


def _is_to(found: socket.socket, port: int) -> bool:
    internet = found.family in (socket.AF_INET, socket.AF_INET6)
    with suppress(OSError):
        return internet and found.getsockname()[1] == port and bool(found.getpeername())
    return False


_LAST_SENT: Final = 44
_LAST_RECEIVED: Final = 52
_SEGMENTS_SENT: Final = 156
"""Places in Linux's ``struct tcp_info`` (linux/tcp.h); the first two are milliseconds ago."""


def _owed_for(connection: socket.socket) -> float:
    """For how many seconds nothing was sent, though something had come; 0 when nothing is owed."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SEGMENTS_SENT + 4)
    sent, received, segments = (
        struct.unpack_from("=I", info, place)[0]
        for place in (_LAST_SENT, _LAST_RECEIVED, _SEGMENTS_SENT)
    )
    owed = segments == 0 or sent > received
    return float(sent) / 1000 if owed else 0.0
