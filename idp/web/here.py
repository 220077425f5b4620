"""What a request stands in, without Flask's proxies: a look through one costs more than that."""

from typing import Any

from flask import Flask
from flask.globals import _cv_app, _cv_request

from idp.web.requests import Request


def app() -> Flask:
    """The application at hand."""
    return _cv_app.get().app


def own() -> Any:
    """What is kept for as long as this request: Flask's ``g``."""
    return _cv_app.get().g


def asked() -> Request:
    """The request."""
    request: Request = _cv_request.get().request  # type: ignore[assignment]
    return request
