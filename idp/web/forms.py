"""What was submitted: as a form, guarded by a token, or as JSON, guarded by its content type."""

import json
import re
import secrets
from collections.abc import Iterable
from functools import lru_cache
from hmac import compare_digest
from typing import Any, Final

from flask import Flask, abort, request, session
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadData

from idp.web import here
from idp.web.signing import Compact, Serializer

MAX_FIELDS = 64
MAX_DEPTH = 16
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_FIELD: Final = "csrf_token"
csrf = CSRFProtect()


def install(app: Flask) -> None:
    """Guard every form of the pages; protocol endpoints are guarded by their own rules."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the page's own transaction
    app.config["WTF_CSRF_SSL_STRICT"] = False  # no Referer is ever sent: Referrer-Policy
    csrf.init_app(app)
    app.jinja_env.globals["answers_post"] = answers_post


def answers_post() -> bool:
    """Is this page the answer to a POST, at an address that a GET can be sent to as well?"""
    if here.asked().method != "POST":
        return False
    adapter = here.app().create_url_adapter(request)
    return adapter is not None and adapter.test(method="GET")


def guard() -> None:
    """Before a page's view: refuse a form that did not come from one of our pages, and make of the
    query what can be looked for.

    A foreign page can make a browser post a form, but not JSON: that content type needs a
    preflight, which is never answered here, and the cookies are SameSite=Lax besides.
    """
    asked = here.asked()
    if b"%00" in asked.query_string:
        asked.leave_nul_out_of("args")
    if asked.method in ("GET", "HEAD", "OPTIONS") or asked.is_json:
        return
    # The library makes its signature's keys anew for every form, and says what is wrong.
    if not _is_ours(asked.form.get(_FIELD, "")):
        csrf.protect()


def token() -> str:
    """The token that this page's forms carry; the session's cookie holds what it signs."""
    own = here.own()
    made: str | None = own.get(_FIELD)
    if made is None:
        held: Any = session._get_current_object()  # type: ignore[attr-defined]  # once
        secret = held.get(_FIELD)
        if secret is None:
            secret = held[_FIELD] = secrets.token_hex(20)
        made = _signer(_key()).dumps(secret)
        setattr(own, _FIELD, made)
    return made


def _is_ours(token: str) -> bool:
    held = session.get(_FIELD)
    try:
        signed = _signer(_key()).loads(token) if token and held else None
    except BadData:
        return False
    return isinstance(signed, str) and isinstance(held, str) and compare_digest(signed, held)


def has_form_cookie() -> bool:
    """Did the browser send the cookie that the tokens of its forms go by?"""
    return session.get(_FIELD) is not None


def _key() -> str:
    return str(here.app().secret_key)


@lru_cache(maxsize=4)
def _signer(key: str) -> Serializer:
    """As Flask-WTF makes it."""
    return Serializer(key, salt="wtf-csrf-token", serializer=Compact())


def submitted() -> dict[str, str]:
    """The fields that are not empty, the first of each name, as text."""
    asked = here.asked()
    if not asked.is_json:
        return {name: value for name, value in asked.form.items() if value}
    body = _json()
    if not isinstance(body, dict) or len(body) > MAX_FIELDS or _is_deep(body, MAX_DEPTH):
        abort(400)
    fields = {str(name): _text(value) for name, value in body.items() if value not in (None, "")}
    # JSON can say half of a surrogate pair, which is no text: nothing could store or send it.
    if not all(map(_is_encodable, (*fields, *fields.values()))):
        abort(400)
    return fields


def _json() -> object:
    try:
        return request.get_json(silent=True)
    except RecursionError:  # deeper than the interpreter follows, which differs
        return None


def _is_deep(value: object, most: int) -> bool:
    """Is it nested more than ``most`` times, as only malice does it?"""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(most == 0 or _is_deep(one, most - 1) for one in inner)


def left_empty(names: Iterable[str]) -> bool:
    """Was one of these fields there, with nothing in it?"""
    given = _json() if here.asked().is_json else request.form
    return isinstance(given, dict) and any(given.get(name) == "" for name in names)


def _is_encodable(text: str) -> bool:
    return _SURROGATE.search(text) is None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)
