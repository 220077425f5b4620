"""A small web site on a loopback port, in a thread: pages for a browser, or an echo."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

Page = tuple[str, bytes]
"""Media type and body."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages: Mapping[str, Page]

    def do_GET(self) -> None:
        kind, body = self.pages.get(urlsplit(self.path).path) or self._echo()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _echo(self) -> Page:
        told = {"path": self.path, "headers": dict(self.headers.items())}
        return "application/json", json.dumps(told).encode()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def site(pages: Mapping[str, Page]) -> Iterator[int]:
    """Serve ``pages`` by path, and elsewhere what was asked, as JSON; the port."""
    handler = type("Handler", (_Handler,), {"pages": pages})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
