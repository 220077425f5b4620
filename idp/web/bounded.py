"""The application as the production server calls it: so many requests at once, and no more."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from idp import capacity
from idp.capacity import Busy
from idp.web.proxy import Network
from idp.web.relay import Relay
from idp.web.slow_clients import Bodies, CutShort

READERS: Final = 24
"""Clients that may send slowly at once, to one process."""
FROM_ONE: Final = READERS // 3
"""How many of them from one network: who has but one computer shuts nobody out."""


class Bounded:
    """Works on ``threads`` requests at once; the others wait, for a place or for their own body.

    Whoever waits too long is answered 503 with ``Retry-After``. Hashing counts for itself
    (``idp/capacity.py``), so that sign-ins, however many, leave room for everything else.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        threads: int,
        largest: int,
        larger: Mapping[str, int] | None = None,
        trusted: Sequence[Network] = (),
    ) -> None:
        self._app = app
        self.relay = Relay(threads, name="request")
        self.bodies = Bodies(
            largest=largest, larger=larger, readers=READERS, from_one=FROM_ONE, trusted=trusted
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            self.bodies.receive(environ)
            with capacity.worked_on(self.relay):
                return self._app(environ, start_response)
        except Busy:
            return _refused(environ, start_response, "503 Service Unavailable", _BUSY)
        except CutShort:
            return _refused(environ, start_response, "400 Bad Request", _CUT_SHORT)


_BUSY: Final = ("temporarily_unavailable", "Too much at once. Nothing was done: try again.")
_CUT_SHORT: Final = ("invalid_request", "The request was not sent whole.")


def _refused(
    environ: WSGIEnvironment, start_response: StartResponse, status: str, why: tuple[str, str]
) -> Iterable[bytes]:
    """A few bytes, without a template or a database: there is too much to do already."""
    error, message = why
    page = "text/html" in environ.get("HTTP_ACCEPT", "")
    body = message if page else f'{{"error":"{error}","error_description":"{message}"}}'
    headers = [
        ("Content-Type", f"{'text/plain' if page else 'application/json'}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if status.startswith("503"):
        headers.append(("Retry-After", str(capacity.RETRY_AFTER)))
    start_response(status, headers)
    return [body.encode()]
