"""What is signed here the libraries read, and the other way round."""

import hashlib
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf, validate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer

from idp.web import forms
from idp.web.signing import Serializer
from tests.helpers.house import House

OPTIONS: dict[str, Any] = {"salt": "a salt", "signer_kwargs": {"key_derivation": "hmac"}}
OLD, NEW = "an older key", "a newer key"


def test_what_it_signs_is_read_by_the_library_and_the_other_way_round() -> None:
    ours = Serializer([OLD, NEW], **OPTIONS)
    theirs: URLSafeTimedSerializer = URLSafeTimedSerializer([OLD, NEW], **OPTIONS)
    for _round in range(2):
        assert theirs.loads(ours.dumps({"a": 1})) == {"a": 1}
        assert ours.loads(theirs.dumps({"a": 1})) == {"a": 1}


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
    assert theirs.loads(ours.dumps({"a": 1})) == ours.loads(theirs.dumps({"a": 1})) == {"a": 1}
    assert isinstance(town.app, Flask)
