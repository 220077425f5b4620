"""Responses as they are sent: what every one of them says is added last, and costs nothing."""

from collections.abc import Container, Iterable, Mapping
from types import MappingProxyType
from typing import Any
from wsgiref.types import WSGIEnvironment

import flask

Header = tuple[str, str]
Beside = Mapping[str, Header]
"""By their names in small letters."""
Sent = tuple[Iterable[bytes], str, list[Header]]
"""The body, the status line and the headers."""


class Response(flask.Response):
    """Sends ``beside`` what it says itself, unless it says something of that name.

    Most are whole, some bytes in memory: these are handed over as they are, where Werkzeug would
    copy the headers and look at each of them.
    """

    beside: Beside = MappingProxyType({})

    def say_beside(self, more: Beside) -> None:
        """``more``, unless something of that name is there."""
        self.beside = {**more, **self.beside}

    def get_wsgi_response(self, environ: WSGIEnvironment) -> Sent:
        """The body, the status line and the headers."""
        headers = list(self.headers)
        said = {name.lower() for name, _value in headers}
        body: Any = self.response
        status = self.status
        if not self._is_ready(environ["REQUEST_METHOD"], said):
            body, status, headers = super().get_wsgi_response(environ)
        headers += [header for name, header in self.beside.items() if name not in said]
        return body, status, headers

    def _is_ready(self, method: str, said: Container[str]) -> bool:
        """Is there nothing that HTTP wants otherwise, and nothing to do once it was sent?"""
        return (
            type(self.response) is list
            and "content-length" in said
            and self.status_code >= 200
            and self.status_code not in (204, 304)
            and method != "HEAD"
            and not self._on_close
            and ("location" not in said or self.headers["Location"].isascii())
        )


def named(*headers: Header) -> Beside:
    """To be said beside what a response says; of two of one name, the last."""
    return {header[0].lower(): header for header in headers}


def says(response: flask.Response, name: str) -> bool:
    """Has it a header of that name? Asked for one that is not there, the library raises first."""
    name = name.lower()
    return any(one.lower() == name for one, _value in response.headers)


class Bare(Response):
    """Of no type, having no body."""

    def __init__(self, status: int, *headers: Header) -> None:
        super().__init__([], status, content_type="none")  # or it would be looked for
        self.headers.clear()
        for name, value in headers:
            self.headers.add(name, value)
