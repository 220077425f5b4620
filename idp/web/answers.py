"""The shapes an answer takes: a redirect, or JSON for a script."""

from functools import lru_cache
from http import HTTPStatus
from typing import Final

from flask import Response, jsonify
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from idp.web import here
from idp.web.responses import Bare

_JSON: Final = "application/json"


def wants_json() -> bool:
    """Does the caller talk JSON: a script, not a browser showing a page?"""
    asked = here.asked()
    sent = asked.environ
    if sent.get("CONTENT_TYPE") and asked.is_json:
        return True
    if "HTTP_ACCEPT" not in sent:
        return False
    accept = sent["HTTP_ACCEPT"]
    return (_known if len(accept) <= _LONGEST_KNOWN else _prefers_json)(accept)


def _prefers_json(accept: str) -> bool:
    """RFC 9110 section 12.5.1."""
    accepted = parse_accept_header(accept, MIMEAccept)
    return accepted.best_match(["text/html", _JSON]) == _JSON


_LONGEST_KNOWN: Final = 300
_known: Final = lru_cache(maxsize=200)(_prefers_json)
"""There are not many browsers, and each says the same every time."""


def redirect_to(url: str) -> Response:
    """303: whatever this was, what follows is a GET (RFC 9700 section 4.12 forbids 307).

    It has no body: no browser shows one, and a code need not stand in an answer twice.
    """
    return Bare(303, ("Location", url), ("Content-Length", "0"))


def see_other(url: str) -> Response:
    """The same for people; a script is told where to go."""
    return jsonify(redirect=url) if wants_json() else redirect_to(url)


def problem(status: int, error: str, message: str) -> Response:
    """A refusal for a script: ``{"error", "message"}``."""
    response = jsonify(error=error, message=message)
    response.status_code = status
    return response


def problem_details(status: int, detail: str, **members: object) -> Response:
    """A refusal of our API (RFC 9457)."""
    response = jsonify(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, **members
    )
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response
