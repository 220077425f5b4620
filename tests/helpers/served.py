"""A WSGI application at a port of this machine, for real browsers and clients to come to."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its own word
        logging.getLogger("werkzeug").debug(message, *args)


@contextmanager
def served(app: WSGIApplication, port: int) -> Iterator[None]:
    """``app`` answers at ``http://localhost:port``, in threads of this process."""
    server: Any = make_server("localhost", port, app, threaded=True, request_handler=Quiet)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
