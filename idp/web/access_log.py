"""A line for each request: its route, never its address, which may hold a link that signs in."""

import logging
from time import perf_counter
from typing import Final

from flask import Flask, Response, g, request
from flask.globals import request_ctx

from idp import logs, measures

log = logging.getLogger(logs.REQUESTS)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _start() -> None:
    g.began = perf_counter()
    measures.began()


def _finish(response: Response) -> Response:
    if measures.heard() is not None and "began" in g:
        _tell(response)
    if log.isEnabledFor(logging.INFO):
        log.info("request", extra={"line": _line(response)})
    return response


def _tell(response: Response) -> None:
    measures.ended()
    # Whatever anybody may call a method, there are so many series and no more.
    method = request.method if request.method in _METHODS else "other"
    seconds = perf_counter() - g.began
    measures.request(request.endpoint or "none", method, response.status_code, seconds)


def _line(response: Response) -> dict[str, object]:
    asked, began = request_ctx.request, g.get("began")
    return {
        "method": asked.method,
        "route": asked.url_rule.rule if asked.url_rule else None,
        "status": response.status_code,
        "milliseconds": None if began is None else round((perf_counter() - began) * 1000, 1),
    }


def install(app: Flask) -> None:
    """Log every request of ``app`` at INFO, as ``idp.access``."""
    app.before_request(_start)
    app.after_request(_finish)
