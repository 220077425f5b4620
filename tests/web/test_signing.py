"""What is signed here the libraries read, and the other way round."""

import hashlib
import re
from collections.abc import MutableMapping
from typing import Any

import pytest
from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf, validate_csrf
from itsdangerous import BadData, BadSignature, URLSafeTimedSerializer

from idp.web import forms
from idp.web.frame import App
from idp.web.responses import Response
from idp.web.signing import Serializer
from tests.helpers.house import House

OPTIONS: dict[str, Any] = {"salt": "a salt", "signer_kwargs": {"key_derivation": "hmac"}}
OLD, NEW = "an older key", "a newer key"


def test_what_it_signs_is_read_by_the_library_and_the_other_way_round() -> None:
    ours = Serializer([OLD, NEW], **OPTIONS)
    theirs: URLSafeTimedSerializer = URLSafeTimedSerializer([OLD, NEW], **OPTIONS)
    for value in ({"a": 1}, {"a": 1}, "\u00e9", {"compressed": "x" * 500}):
        assert theirs.loads(ours.dumps(value)) == value
        assert len(ours.dumps(value)) == len(theirs.dumps(value))
        assert ours.loads(theirs.dumps(value)) == value


def test_what_is_read_at_once_is_refused_when_the_library_refuses_it() -> None:
    ours = Serializer([OLD, NEW], **OPTIONS)
    theirs: URLSafeTimedSerializer = URLSafeTimedSerializer([OLD, NEW], **OPTIONS)
    good = ours.dumps("x")
    payload, stamp, seal = good.split(".")
    spoilt = [good[:-1], f"{good}=", f"a{good}", f"{payload}.{stamp}", f"{payload}.{seal}", seal]
    spoilt += ["", ".", "..", "\u00fc", f".{good}", f"{payload}..{stamp}.{seal}"]
    for sent in [good, *spoilt]:
        found = [_read(one, sent) for one in (ours, theirs)]
        assert found[0] == found[1]
        assert (found[0] == "x") == (sent in (good, f"{good}="))


def _read(reader: URLSafeTimedSerializer, sent: str, allowed: int = 60) -> Any:
    try:
        return reader.loads(sent, max_age=allowed)
    except BadData as error:
        return type(error)


@pytest.mark.parametrize("age", [0, 30, 60, 61, 3600, -30])
def test_what_is_too_old_or_of_tomorrow_is_refused_as_by_the_library(age: int) -> None:
    class Earlier(Serializer):
        """Signs as some seconds ago."""

        def dumps(self, obj: Any, salt: str | bytes | None = None) -> str:
            signer: Any = self._signer
            now = signer.get_timestamp
            signer.get_timestamp = lambda: now() - age
            try:
                return super().dumps(obj, salt)
            finally:
                signer.get_timestamp = now

    sent = Earlier([OLD, NEW], **OPTIONS).dumps("x")
    ours = Serializer([OLD, NEW], **OPTIONS)
    theirs: URLSafeTimedSerializer = URLSafeTimedSerializer([OLD, NEW], **OPTIONS)
    allowed = 60 if age != 60 else 61  # a second may pass
    found = [_read(one, sent, allowed) for one in (ours, theirs)]
    assert found[0] == found[1]
    assert (found[0] == "x") == (0 <= age <= 60)


def test_what_was_signed_by_an_older_key_is_read_and_signed_by_the_newer() -> None:
    ours = Serializer([OLD, NEW], **OPTIONS)
    assert ours.loads(URLSafeTimedSerializer(OLD, **OPTIONS).dumps("x")) == "x"
    assert URLSafeTimedSerializer(NEW, **OPTIONS).loads(ours.dumps("x")) == "x"


@pytest.mark.parametrize(
    "other",
    [
        Serializer("another key", **OPTIONS),
        Serializer(NEW, salt="another salt", signer_kwargs={"key_derivation": "hmac"}),
        Serializer(NEW, salt="a salt"),
        URLSafeTimedSerializer(
            NEW,
            salt="a salt",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        ),
    ],
    ids=["key", "salt", "derivation", "digest"],
)
def test_what_was_signed_otherwise_is_refused(other: URLSafeTimedSerializer) -> None:
    with pytest.raises(BadSignature):
        Serializer(NEW, **OPTIONS).loads(other.dumps("x"))


def test_a_form_is_of_the_format_that_flask_wtf_writes_and_reads(town: House) -> None:
    with town.app.test_request_context():
        validate_csrf(forms.token(), town.app.secret_key)
        assert forms._is_ours(generate_csrf(town.app.secret_key))


def test_the_cookie_is_of_the_format_that_flask_writes_and_reads(town: House) -> None:
    theirs = SecureCookieSessionInterface().get_signing_serializer(town.app)
    ours = town.app.session_interface.get_signing_serializer(town.app)  # type: ignore[attr-defined]
    assert theirs is not None
    for held in ({"a": "text"}, {"a": ("a tuple", b"bytes")}, {"a": "text", "b": [("x", "y")]}):
        assert theirs.loads(ours.dumps(held)) == ours.loads(theirs.dumps(held)) == held
    assert isinstance(town.app, Flask)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("vary", [{}, {"Vary": "Accept"}], ids=["plain", "varied"])
def test_the_cookie_is_handed_out_and_taken_back_as_flask_does(
    secure: bool, vary: dict[str, str]
) -> None:
    app = App("toy", issuer="https://id.example.com")
    app.secret_key = "toy"
    app.config.update(SECRET_KEY_FALLBACKS=[])
    app.config.update(SESSION_COOKIE_SECURE=secure, SESSION_COOKIE_SAMESITE="Lax")
    for change in (_look, _write, _empty):
        with app.test_request_context():
            change(session)
            held: Any = session._get_current_object()  # type: ignore[attr-defined]
            sent = []
            for interface in (app.session_interface, SecureCookieSessionInterface()):
                response = Response(headers=vary)
                interface.save_session(app, held, response)
                sent.append([(name, _VALUE.sub("=", one)) for name, one in response.headers])
        assert sent[0] == sent[1]
        assert any(name == "Vary" and "Cookie" in one for name, one in sent[0])
        assert (change is _look) == all(name != "Set-Cookie" for name, _ in sent[0])


_VALUE = re.compile("=[^;]+(?=; Secure|; HttpOnly)")


def _look(held: MutableMapping[str, Any]) -> None:
    assert "a" not in held


def _write(held: MutableMapping[str, Any]) -> None:
    held["a"] = "b"


def _empty(held: MutableMapping[str, Any]) -> None:
    held["a"] = "b"
    held.clear()
