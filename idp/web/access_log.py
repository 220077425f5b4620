"""A line for each request: its route, never its address, which may hold a link that signs in."""

import logging
from time import perf_counter
from typing import Final

from flask import Flask, Response

from idp import logs, measures
from idp.web import here

log = logging.getLogger(logs.REQUESTS)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _start() -> None:
    here.own().began = perf_counter()
    measures.began()


def _finish(response: Response) -> Response:
    asked = here.asked()
    rule = asked.url_rule
    tell(
        asked.endpoint,
        rule.rule if rule else None,
        method=asked.method,
        status=response.status_code,
        began=here.own().get("began"),
    )
    return response


def tell(
    endpoint: str | None, route: str | None, *, method: str, status: int, began: float | None
) -> None:
    """A request was answered; None where it had no ``endpoint``, or was refused unseen."""
    seconds = None if began is None else perf_counter() - began
    if seconds is not None and measures.heard() is not None:
        measures.ended()
        # Whatever anybody may call a method, there are so many series and no more.
        known = method if method in _METHODS else "other"
        measures.request(endpoint or "none", known, status, seconds)
    if log.isEnabledFor(logging.INFO):
        took = None if seconds is None else round(seconds * 1000, 1)
        line = {"method": method, "route": route, "status": status, "milliseconds": took}
        log.info("request", extra={"line": line})


def install(app: Flask) -> None:
    """Log every request of ``app`` at INFO, as ``idp.access``."""
    app.before_request(_start)
    app.after_request(_finish)
