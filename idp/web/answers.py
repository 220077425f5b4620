"""The shapes an answer takes: a redirect, or JSON for a script."""

from http import HTTPStatus
from typing import Final

from flask import Response, jsonify

from idp.web import here, responses

_JSON: Final = "application/json"


def wants_json() -> bool:
    """Does the caller talk JSON: a script, not a browser showing a page?"""
    asked = here.asked()
    if asked.is_json:
        return True
    if "HTTP_ACCEPT" not in asked.environ:
        return False
    return asked.accept_mimetypes.best_match(["text/html", "application/json"]) == _JSON


def redirect_to(url: str) -> Response:
    """303: whatever this was, what follows is a GET (RFC 9700 section 4.12 forbids 307)."""
    return responses.Response(b"", 303, headers={"Location": url}, mimetype="text/plain")


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
