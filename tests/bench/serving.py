"""The program under granian with one worker, for as long as there is no command that does it."""

import os
import sys

from flask import Flask

from idp.app import create_app
from idp.audit import Context
from idp.config import load_settings


def command(port: int) -> list[str]:
    """What to execute; ``tests.helpers.servers.Command``."""
    options = f"--interface wsgi --factory --host 127.0.0.1 --port {port} --workers 1"
    threads = "--blocking-threads 2 --no-access-log --log-level warning"
    target = "tests.bench.serving:make"
    return [sys.executable, "-m", "granian", *options.split(), *threads.split(), target]


def make() -> Flask:
    """The application, with its signing keys."""
    app = create_app(load_settings(environ=os.environ))
    services = app.extensions["idp"]
    with app.app_context():
        services.key_rotation.prepare(Context(at=services.clock()))
    return app
