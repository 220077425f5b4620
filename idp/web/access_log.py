"""A line for each request: its route, never its address, which may hold a link that signs in."""

import logging
from time import perf_counter

from flask import Flask, Response, g, request

log = logging.getLogger("idp.access")


def _start() -> None:
    g.began = perf_counter()


def _finish(response: Response) -> Response:
    if log.isEnabledFor(logging.INFO):
        log.info("request", extra=_line(response))
    return response


def _line(response: Response) -> dict[str, object]:
    rule = request.url_rule
    line: dict[str, object] = {
        "method": request.method,
        "route": rule.rule if rule else None,
        "status": response.status_code,
        "milliseconds": round((perf_counter() - g.began) * 1000, 1) if "began" in g else None,
    }
    if transaction_id := (request.view_args or {}).get("transaction_id"):
        line["transaction_id"] = transaction_id
    return line


def install(app: Flask) -> None:
    """Log every request of ``app`` at INFO, as ``idp.access``."""
    app.before_request(_start)
    app.after_request(_finish)
