"""What was submitted: as a form, guarded by a token, or as JSON, guarded by its content type."""

import json
import re
from collections.abc import Iterable

from flask import Flask, abort, request
from flask_wtf.csrf import CSRFProtect

MAX_FIELDS = 64
_SURROGATE = re.compile(r"[\ud800-\udfff]")
csrf = CSRFProtect()


def install(app: Flask) -> None:
    """Guard every form of the pages; protocol endpoints are guarded by their own rules."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the page's own transaction
    app.config["WTF_CSRF_SSL_STRICT"] = False  # no Referer is ever sent: Referrer-Policy
    csrf.init_app(app)


def guard() -> None:
    """Before a page's view: refuse a form that did not come from one of our pages.

    A foreign page can make a browser post a form, but not JSON: that content type needs a
    preflight, which is never answered here, and the cookies are SameSite=Lax besides.
    """
    if request.method not in ("GET", "HEAD", "OPTIONS") and not request.is_json:
        csrf.protect()


def submitted() -> dict[str, str]:
    """The fields that are not empty, the first of each name, as text."""
    if not request.is_json:
        return {name: value for name, value in request.form.items() if value}
    body = _json()
    if not isinstance(body, dict) or len(body) > MAX_FIELDS:
        abort(400)
    fields = {str(name): _text(value) for name, value in body.items() if value not in (None, "")}
    # JSON can say half of a surrogate pair, which is no text: nothing could store or send it.
    if not all(map(_is_encodable, (*fields, *fields.values()))):
        abort(400)
    return fields


def _json() -> object:
    try:
        return request.get_json(silent=True)
    except RecursionError:  # nested so deep that only malice does it
        return None


def left_empty(names: Iterable[str]) -> bool:
    """Did the form have one of these fields, with nothing in it?"""
    return any(request.form.get(name) == "" for name in names)


def _is_encodable(text: str) -> bool:
    return _SURROGATE.search(text) is None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)
