"""Public documents: cached, revalidated, and kept ready for whoever asks next."""

from typing import Protocol
from wsgiref.types import WSGIEnvironment

from flask import current_app, request
from flask.globals import request_ctx

from idp.web.headers import REQUEST_ID
from idp.web.ready import Kept, Ready, Source, is_plain
from idp.web.responses import Header, Response, Sent, named


class Entity(Protocol):
    """What is sent, and its entity tag."""

    @property
    def body(self) -> bytes: ...

    @property
    def etag(self) -> str: ...


class Document(Response):
    """Kept as it is sent, where it says what it was ``made_of`` and can be asked for that again."""

    source: Source | None = None
    made_of: Entity | None = None

    def get_wsgi_response(self, environ: WSGIEnvironment) -> Sent:
        """The body, the status line and the headers."""
        body, status, headers = super().get_wsgi_response(environ)
        if self.source is not None and self.status_code == 200 and is_plain(environ):
            ready: Ready = current_app.extensions["idp.ready"]
            ready.keep(environ["PATH_INFO"], self._kept(self.source, headers))
        return body, status, headers

    def _kept(self, source: Source, headers: list[Header]) -> Kept:
        asked = request_ctx.request
        return Kept(
            source=source,
            made_of=self.made_of,
            endpoint=asked.endpoint or "",
            route=asked.url_rule.rule if asked.url_rule else "",
            headers=tuple(one for one in headers if one[0] not in (REQUEST_ID, "Set-Cookie")),
            body=self.get_data(),
        )


def document(made_of: Entity, *, max_age: int, source: Source | None = None) -> Response:
    """JSON that may be kept for ``max_age`` seconds; 304 when the caller has it already.

    As long as ``source`` answers ``made_of``, others are sent the same without being asked.
    """
    response = Document(made_of.body, content_type="application/json")
    response.source, response.made_of = source, made_of
    response.beside = named(
        ("ETag", f'"{made_of.etag}"'),
        ("Cache-Control", f"public, max-age={max_age}"),
    )
    if "HTTP_IF_NONE_MATCH" in request.environ:
        response.set_etag(made_of.etag)
        response.make_conditional(request)
    return response
