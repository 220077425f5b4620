"""A TCP proxy between a node and its database that cuts the line at a word."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from threading import Event, Thread

from sqlalchemy import make_url


class Cut(Enum):
    """Where the line is cut when the word passes."""

    BEFORE = auto()
    """The word never arrives."""
    AFTER = auto()
    """It arrives and is obeyed; the answer does not come back."""


@dataclass
class Wire:
    """``word`` arms it for one cut, in the bytes from the node to the server."""

    port: int
    target: tuple[str, int]
    word: bytes | None = None
    cut: Cut = Cut.BEFORE
    cuts: int = 0
    over: Event = field(default_factory=Event)

    def arm(self, word: bytes, cut: Cut) -> None:
        self.word, self.cut = word, cut

    def claims(self, sent: bytes) -> bool:
        """Is this what it waits for? Then it waits no longer."""
        if self.word is None or self.word not in sent:
            return False
        self.word, self.cuts = None, self.cuts + 1
        return True


@contextmanager
def wired(database_url: str) -> Iterator[tuple[str, Wire]]:
    """The URL of the same database by way of a wire."""
    url = make_url(database_url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        wire = Wire(port, (str(url.host), int(url.port or 5432)))
        Thread(target=_accept, args=(listener, wire), daemon=True).start()
        try:
            yield url.set(port=port).render_as_string(hide_password=False), wire
        finally:
            wire.over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, wire: Wire) -> None:
    while not wire.over.is_set():
        try:
            near, _ = listener.accept()
        except OSError:
            return
        far = socket.create_connection(wire.target)
        for line in (near, far):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Thread(target=_join, args=(near, far, wire), daemon=True).start()


def _join(near: socket.socket, far: socket.socket, wire: Wire) -> None:
    silenced = Event()
    with near, far:
        back = Thread(target=_back, args=(far, near, silenced), daemon=True)
        back.start()
        _forth(near, far, wire, silenced)
        back.join()


def _forth(near: socket.socket, far: socket.socket, wire: Wire, silenced: Event) -> None:
    with suppress(OSError):
        while sent := near.recv(65536):
            claimed = wire.claims(sent)
            if claimed and wire.cut is Cut.AFTER:
                silenced.set()  # before it can be answered
            if not claimed or wire.cut is Cut.AFTER:
                far.sendall(sent)
            if claimed:
                break
    if not silenced.is_set():
        _end(near)
    with suppress(OSError):
        far.shutdown(socket.SHUT_WR)  # what was sent arrives all the same


def _back(far: socket.socket, near: socket.socket, silenced: Event) -> None:
    """Until the server has nothing more to say; it has done what was cut when the line ends."""
    with suppress(OSError):
        while said := far.recv(65536):
            if not silenced.is_set():
                near.sendall(said)
    _end(near)


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
