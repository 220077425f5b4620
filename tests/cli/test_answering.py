"""What the server is answered, and whether its thread rests afterwards."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from threading import Event, Thread
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from idp.cli.answering import Answering, Sent
from idp.web.bounded import Bounded
from idp.web.responses import Header

SOON = 30


class Exchange:
    """One request, as the server would have it answered."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.body = b""

    def response_bytes(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def response_iter(self, status: int, headers: Any, body: Sent) -> None:
        self.status, self.headers = status, headers
        try:
            while True:
                self.body += next(body)
        except StopIteration:
            body.close()


class Pieces:
    """A body that comes in pieces."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from (b"one ", b"two")

    def close(self) -> None:
        self.closed = True


def bounded_by(answer: Callable[[WSGIEnvironment], Iterable[bytes]]) -> Bounded:
    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body = answer(environ)
        start("201 Created", [("X-Own", "said")])
        return body

    return Bounded(app, threads=4, largest=100)


def answering(answer: Callable[[WSGIEnvironment], Iterable[bytes]]) -> Answering:
    return Answering(bounded_by(answer))


def scope(**more: object) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": BytesIO(),
        **more,
    }


def test_bytes_are_sent_as_they_are() -> None:
    exchange = Exchange()
    answering(lambda _environ: [b"one ", b"two"])(exchange, scope())
    assert (exchange.status, exchange.headers) == (201, [("X-Own", "said")])
    assert exchange.body == b"one two"


def test_a_body_in_pieces_is_closed_once_it_was_sent() -> None:
    exchange, pieces = Exchange(), Pieces()
    answering(lambda _environ: pieces)(exchange, scope())
    assert exchange.body == b"one two"
    assert pieces.closed


def test_nothing_of_this_process_is_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_X_FORWARDED_FOR", "192.0.2.1")
    seen: dict[str, Any] = {}

    def look(environ: WSGIEnvironment) -> list[bytes]:
        seen.update(environ)
        return []

    answering(look)(Exchange(), scope())
    assert "HTTP_X_FORWARDED_FOR" not in seen
    assert seen["PATH_INFO"] == "/"


class Unread:
    """The server's own stream, of which nobody has read."""

    def read(self, _size: int = -1) -> bytes:
        return b""


def comes_back(request: dict[str, Any], *, seconds: float, fails: bool = False) -> bool:
    """Does a thread that has answered while another took its turn go to the server at once?"""
    back = Event()

    def answer(_environ: WSGIEnvironment) -> list[bytes]:
        other = Thread(target=bounded.relay.enter)
        other.start()
        other.join(SOON)  # it takes the turn from who is at work for long, and keeps it
        if fails:
            raise LookupError
        return [b"done"]

    bounded = bounded_by(answer)
    call = Answering(bounded)

    def serve() -> None:
        with suppress(LookupError):
            call(Exchange(), request)
        back.set()

    Thread(target=serve, daemon=True).start()
    return back.wait(seconds)


def test_who_has_answered_rests_while_it_is_anothers_turn() -> None:
    assert not comes_back(scope(), seconds=0.5)


@pytest.mark.parametrize(
    ("request_", "fails"),
    [
        (scope(), True),
        (scope(CONTENT_LENGTH="500", **{"wsgi.input": Unread()}), False),
        (scope(HTTP_TRANSFER_ENCODING="chunked"), False),
    ],
    ids=["it failed, which the server says", "too large to be read", "in chunks"],
)
def test_who_leaves_something_to_the_server_goes_back_at_once(
    request_: dict[str, Any], *, fails: bool
) -> None:
    assert comes_back(request_, seconds=SOON, fails=fails)
