"""How Granian calls the application: as its own WSGI adapter does, with threads that take turns."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from idp.web.bounded import Bounded
from idp.web.responses import Header
from idp.web.slow_clients import is_here

_GATEWAY: Final[dict[str, Any]] = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "Granian",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
"""What is the same for every request (PEP 3333); of this process's own environment nothing."""


class Exchange(Protocol):
    """Granian's side of one request; the answer is sent when one of these returns."""

    def response_bytes(self, status: int, headers: Sequence[Header], body: bytes) -> None: ...

    def response_iter(self, status: int, headers: Sequence[Header], body: "Sent") -> None: ...


class Start:
    """``start_response``, and what it was told."""

    __slots__ = ("headers", "status")

    def __call__(
        self, status: str, headers: list[Header], _error: object = None
    ) -> Callable[[bytes], object]:
        self.status, self.headers = int(status[:3]), headers
        return _no_write


def _no_write(_data: bytes) -> None:
    raise NotImplementedError("an application returns what it sends")


class Answering:
    """What Granian calls with each request, in one of its threads."""

    def __init__(self, app: Bounded) -> None:
        self._app = app
        self._relay = app.relay

    def __call__(self, exchange: Exchange, scope: dict[str, Any]) -> None:
        self._relay.begin()
        environ = _GATEWAY | scope
        start = Start()
        try:
            _send(exchange, start, self._app(environ, start))
        except BaseException:
            self._relay.go_back()  # Granian answers once this has returned
            raise
        if _is_over(environ):
            self._relay.rest()
        else:
            self._relay.go_back()


def _send(exchange: Exchange, start: Start, body: Iterable[bytes]) -> None:
    if isinstance(body, list):
        exchange.response_bytes(start.status, start.headers, b"".join(body))
    else:
        exchange.response_iter(start.status, start.headers, Sent(body))


class Sent:
    """A body as it is sent piece by piece, closed when it was, or when whoever asked has gone."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body
        self._pieces = iter(body)

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Called once by the server (PEP 3333)."""
        if (close := getattr(self._body, "close", None)) is not None:
            close()


def _is_over(environ: dict[str, Any]) -> bool:
    """Has all of the request been read? What has not is thrown away once this thread is back."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return False
    return environ.get("CONTENT_LENGTH", "0") in ("", "0") or is_here(environ)
