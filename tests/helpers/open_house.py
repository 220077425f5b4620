"""A house with its doors open: the program in this process, for real browsers to come to."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.ports import free_port


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its own word
        logging.getLogger("werkzeug").debug(message, *args)


@contextmanager
def open_house(database_url: str, clock: FakeClock, **settings: Any) -> Iterator[House]:
    """Serve at ``house.settings.issuer``, on a port of its own, until the block ends."""
    port = free_port()
    house = House(database_url, clock, issuer=f"http://localhost:{port}", **settings)
    server = make_server("localhost", port, house.app, threaded=True, request_handler=Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield house
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
