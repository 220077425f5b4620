"""Clients as modules, and WSGI applications on ports, both for as long as a test takes."""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

CLIENTS = Path(__file__).resolve().parents[2] / "clients"


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        pass


def load(client: str) -> ModuleType:
    """``app.py`` of a client as ``python app.py`` would see it, with its neighbours importable."""
    folder = CLIENTS / client
    own = [path.stem for path in folder.glob("*.py")]
    hidden = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("app")
    finally:
        sys.path.remove(str(folder))
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(hidden)


@contextmanager
def served(app: Flask, port: int) -> Iterator[None]:
    """``app`` answers at ``http://localhost:port``."""
    server: Any = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
