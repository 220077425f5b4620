"""From a request to its answer: the same way for every operation."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import Response, abort, jsonify, request

from idp.protocol.errors import OAuthError
from idp.protocol.text import is_clean
from idp.services import pace
from idp.services.client_listing import ClientRefused
from idp.services.idempotency import Key
from idp.services.invalid import Invalid
from idp.services.key_rotation import CannotRetire
from idp.services.versions import Stale
from idp.web.api.admission import admitted
from idp.web.api.call import Answer, Call, Caller
from idp.web.api.operation import Operation
from idp.web.api.problems import Problem
from idp.web.api.reading import read_body, read_query
from idp.web.context import context, services

ROOT: Final = "/api/v1"
LONGEST_KEY: Final = 255
REFUSALS: Final = (Problem, Invalid, OAuthError, ClientRefused, CannotRetire, Stale)
"""By these an operation says that it did nothing."""


def answer_to(operation: Operation, view: Callable[..., Answer]) -> Callable[..., Response]:
    """The view as Flask calls it."""

    @wraps(view)
    def answered(**arguments: str) -> Response:
        if not all(map(is_clean, arguments.values())):
            abort(404)
        call = _call(operation, admitted(operation))

        def act() -> Response:
            return _rendered(operation, view(call, **arguments))

        key = _key_of(operation, call)
        return act() if key is None else _once(key, call, act)

    return answered


def _call(operation: Operation, caller: Caller) -> Call:
    now = context().at
    wait = pace.called(caller.key, now)
    if wait is not None:
        seconds = str(max(1, int(wait.total_seconds())))
        raise Problem(429, "Too many calls. Try again later.", headers={"Retry-After": seconds})
    if operation.conditional and "If-Match" not in request.headers:
        # RFC 6585 section 3: so that nobody overwrites what they have not seen.
        raise Problem(428, "Send If-Match with the ETag of what you have read.")
    return Call(
        caller=caller,
        context=caller.acting(context()),
        query=read_query(operation),
        body=read_body(operation),
    )


def _key_of(operation: Operation, call: Call) -> Key | None:
    """draft-ietf-httpapi-idempotency-key-header, 2.1: a string, in quotation marks or not."""
    given = request.headers.get("Idempotency-Key")
    if given is None or not operation.takes_key:
        return None
    name = given.strip().removeprefix('"').removesuffix('"')
    if not 0 < len(name) <= LONGEST_KEY or not name.isascii() or not name.isprintable():
        raise Problem(400, "An Idempotency-Key is 1 to 255 printable ASCII characters.")
    what = json.dumps([operation.method, request.path, call.body], sort_keys=True)
    return Key(caller=call.caller.key, name=name, call=what)


def _once(key: Key, call: Call, act: Callable[[], Response]) -> Response:
    idempotency = services().idempotency
    before = idempotency.begin(key, call.context.at)
    if before is not None:
        return Response(before["body"], before["status"], headers=before["headers"])
    try:
        response = act()
    except REFUSALS:
        services().rollback()
        idempotency.forget(key)
        raise
    idempotency.finish(
        key,
        {
            "body": response.get_data(as_text=True),
            "status": response.status_code,
            "headers": dict(response.headers),
        },
    )
    return response


def _rendered(operation: Operation, answer: Answer) -> Response:
    response = Response() if operation.answer is None else jsonify(answer.body)
    response.status_code = operation.status
    if operation.answer is None:
        del response.headers["Content-Type"]
    if answer.location is not None:
        response.headers["Location"] = address_of(answer.location)
    if answer.next is not None:
        response.headers["Link"] = f'<{_next_page(answer.next)}>; rel="next"'
    if answer.etag is not None:
        response.set_etag(answer.etag)
        if operation.method == "GET":
            response.make_conditional(request)
    return response


def address_of(path: str) -> str:
    """An address of this API by its path, from configuration and never from a header."""
    return f"{services().settings.issuer}{ROOT}{quote(path, safe='/')}"


def _next_page(cursor: str) -> str:
    path = quote(request.path, safe="/").removeprefix(ROOT)
    query: dict[str, Any] = {**request.args.to_dict(), "cursor": cursor}
    # RFC 8288 section 3: an address of its own, with the filters that were asked for.
    return f"{services().settings.issuer}{ROOT}{path}?{urlencode(query)}"
