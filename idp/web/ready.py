"""Documents that were sent before, sent again: the same bytes, without asking anybody."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from idp import logs, measures
from idp.clock import Clock
from idp.web import access_log
from idp.web.context import ids_of
from idp.web.headers import REQUEST_ID
from idp.web.responses import Header

Source = Callable[[datetime], object]
"""What a document is made of at that time; None where that would have to be looked up."""

_TOUCHING: Final = frozenset(
    {
        *("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_COOKIE", "HTTP_DPOP"),
        *("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"),
    }
)
"""With any of these another answer may be right."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and what it was made of: it is right for as long as ``source`` says the same."""

    source: Source
    made_of: object
    endpoint: str
    route: str
    headers: tuple[Header, ...]
    body: bytes


class Ready:
    """In front of Flask: answers what was asked before, and leaves all else to it.

    That is counted and logged as it is there.
    """

    def __init__(self, app: WSGIApplication, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._kept: dict[str, Kept] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        kept = self._kept.get(environ["PATH_INFO"])
        if kept is None or not is_plain(environ) or not self._is_right(kept):
            return self._app(environ, start_response)
        return _send(kept, environ, start_response)

    def keep(self, path: str, kept: Kept) -> None:
        """Answer ``path`` like this from now on."""
        self._kept[path] = kept

    def _is_right(self, kept: Kept) -> bool:
        return measures.drawn() is None and kept.source(self._clock()) is kept.made_of


def is_plain(environ: WSGIEnvironment) -> bool:
    """Is it a GET that says nothing but what it wants?"""
    return environ["REQUEST_METHOD"] == "GET" and _TOUCHING.isdisjoint(environ)


def _send(kept: Kept, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    began = perf_counter()
    measures.began()
    ids = ids_of(environ)
    logs.about.set(ids)
    start_response("200 OK", [*kept.headers, (REQUEST_ID, ids["request_id"])])
    access_log.tell(kept.endpoint, kept.route, method="GET", status=200, began=began)
    return [kept.body]


def install(app: Flask, clock: Clock) -> None:
    """In front of all of ``app``. It answers by ``clock``."""
    kept = app.extensions["idp.ready"] = Ready(app.wsgi_app, clock)
    app.wsgi_app = kept.__call__  # type: ignore[method-assign]  # Flask's way to wrap it
