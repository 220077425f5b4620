"""A span for every request, where somebody draws them."""

from contextlib import AbstractContextManager

from flask import Flask, Response, g, request

from idp import logs, measures


def _begin() -> None:
    spans = measures.drawn()
    if spans is None:
        return
    route = request.url_rule.rule if request.url_rule else "no route"
    span: AbstractContextManager[object] = spans.request(
        f"{request.method} {route}",
        # Neither tracestate nor baggage: strangers may write anything there.
        {"traceparent": request.headers.get("traceparent", "")},
    )
    span.__enter__()
    g.span = span
    told = {"http.route": route, "http.request.method": request.method, "request.id": g.request_id}
    logs.about.set({**logs.about.get(), "trace_id": spans.tell(told)})


def _answered(response: Response) -> Response:
    spans = measures.drawn()
    if spans is not None and "span" in g:
        spans.tell({"http.response.status_code": response.status_code})
    return response


def _end(_error: BaseException | None) -> None:
    if (span := g.pop("span", None)) is not None:
        span.__exit__(None, None, None)


def install(app: Flask) -> None:
    """Only where there is somebody to draw them."""
    if measures.drawn() is not None:
        app.before_request(_begin)
        app.after_request(_answered)
        app.teardown_request(_end)
