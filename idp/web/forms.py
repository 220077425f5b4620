"""What was submitted: as a form, guarded by a token, or as JSON, guarded by its content type."""

import json
import re
import secrets
from collections.abc import Iterable
from hmac import compare_digest
from typing import Final

from flask import abort, request
from werkzeug.exceptions import HTTPException

from idp.web import cookies, here
from idp.web.context import services

MAX_FIELDS = 64
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_FIELD: Final = "csrf_token"
_PURPOSE: Final = "form"


class NotOurs(HTTPException):
    """A form that did not come from a page of ours, or from one that this browser has forgotten."""

    code = 400


def guard() -> None:
    """Before a page's view: refuse a form that did not come from one of our pages.

    A foreign page can make a browser post a form, but not JSON: that content type needs a
    preflight, which is never answered here, and the cookies are SameSite=Lax besides.
    """
    asked = here.asked()
    if asked.method in ("GET", "HEAD", "OPTIONS") or asked.is_json:
        return
    if not _is_ours(asked.form.get(_FIELD, ""), cookies.read(cookies.FORM)):
        raise NotOurs


def token() -> str:
    """The token that this page's forms carry: by a key of ours, from what a cookie holds.

    Another at each page, or how well one is compressed could tell what is in it (BREACH).
    """
    own = here.own()
    found: str | None = own.get(_FIELD)
    if found is None:
        salt = secrets.token_hex(8)
        signed = services().box.keyed_digest(_PURPOSE, f"{salt}\0{cookies.form_secret()}")
        found = f"{salt}.{signed}"
        setattr(own, _FIELD, found)
    return found


def _is_ours(token: str, held: str | None) -> bool:
    salt, _dot, signed = token.partition(".")
    if held is None or not token.isascii():
        return False
    ours = services().box.keyed_digests(_PURPOSE, f"{salt}\0{held}")
    return any(compare_digest(signed, one) for one in ours)


def submitted() -> dict[str, str]:
    """The fields that are not empty, the first of each name, as text."""
    asked = here.asked()
    if not asked.is_json:
        return {name: value for name, value in asked.form.items() if value}
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
