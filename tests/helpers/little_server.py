"""A little HTTP server that answers as a test wants, however badly, and remembers what came."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

Behave = Callable[[socket.socket], None]
"""What is done with a connection whose request has been read."""


@dataclass
class LittleServer:
    """``requests`` are the raw requests in the order they came, body included."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    answer: Behave = lambda connection: None
    over: Event = field(default_factory=Event)

    def url(self, path: str = "/", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def saying(
    body: bytes = b"{}", status: str = "200 OK", *headers: str, kind: str = "application/json"
) -> Behave:
    """A whole and honest answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    head = "\r\n".join([*lines, *headers, "", ""]).encode()
    return lambda connection: connection.sendall(head + body)


@contextmanager
def little_server(
    answer: Behave | None = None, *, tls: ssl.SSLContext | None = None
) -> Iterator[LittleServer]:
    """Serve one connection after another on a loopback port; ``server.answer`` may be changed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = LittleServer(listener.getsockname()[1], answer=answer or saying())
        thread = Thread(target=_serve, args=(listener, server, tls), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(listener: socket.socket, server: LittleServer, tls: ssl.SSLContext | None) -> None:
    while not server.over.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with suppress(OSError), connection:
            connection.settimeout(5)
            _attend(connection, server, tls)


def _attend(connection: socket.socket, server: LittleServer, tls: ssl.SSLContext | None) -> None:
    with tls.wrap_socket(connection, server_side=True) if tls else connection as line:
        server.requests.append(_request(line))
        server.answer(line)


def _request(line: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(line)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [row for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")]
    wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < wanted:
        body += _more(line)
    return head + b"\r\n\r\n" + body


def _more(line: socket.socket) -> bytes:
    more = line.recv(65536)
    if not more:
        raise ConnectionError("it ended in the middle of a request")
    return more
