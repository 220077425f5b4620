"""Forms of fields alone are read without what the library prepares: as the library reads them."""

from io import BufferedReader, BytesIO
from typing import Any

import flask
import pytest
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from idp.web.requests import Request
from idp.web.sizes import MAX_BODY

FIELDS = "application/x-www-form-urlencoded"
BODIES = [
    b"",
    b"username=ann%40example.com&password=a+b%2Bc%20d&empty=",
    b"a=1&a=2&b=3&a=",
    b"&&a=1&&=2&=&b",
    b"a=b=c&d==&=e=",
    b"a%3Db=%26+&%E2%98%83=%e2%98%83",
    b"a=%&b=%4&c=%zz&d=%FF%41&e=%C3%28&f=%00",
    b"a=1;b=2&c=x\r\ny",
    "a=\u2603&\u00fc=+\u00fc%20%C3%BC".encode(),
    b"a=\xff&b=1",
    b"+a+=+b+&%2B=%2b",
]


def environ(body: bytes, kind: str = FIELDS, **changes: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        **changes,
    }


class Theirs(flask.Request):
    """With the same limits."""

    _max_content_length = MAX_BODY
    _max_form_memory_size = MAX_BODY


KINDS = [FIELDS, f"{FIELDS}; charset=utf-8", FIELDS.upper(), "text/plain", ""]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_they_are_read_as_werkzeug_reads_them(body: bytes, kind: str) -> None:
    ours, theirs = Request(environ(body, kind)), Theirs(environ(body, kind))
    assert list(ours.form.items(multi=True)) == list(theirs.form.items(multi=True))
    assert ours.form == theirs.form
    assert ours.files == theirs.files
    assert ours.get_data() == theirs.get_data()


@pytest.mark.parametrize("length", ["3", "03", "2", "0", "", "-1", "x"])
def test_they_are_as_long_as_is_said_wherever_they_come_from(length: str) -> None:
    expected = Theirs(environ(b"a=1", CONTENT_LENGTH=length)).form
    for source in (BytesIO(b"a=1"), BufferedReader(BytesIO(b"a=1"))):
        sent = environ(b"a=1", CONTENT_LENGTH=length) | {"wsgi.input": source}
        assert Request(sent).form == expected


def test_a_body_that_was_read_before_is_read_all_the_same() -> None:
    asked = Request(environ(b"a=1"))
    assert asked.get_data() == b"a=1"
    assert asked.form.to_dict() == {"a": "1"}


@pytest.mark.parametrize("kind", KINDS[:2])
def test_what_somebody_has_taken_from_the_stream_is_gone(kind: str) -> None:
    asked = Request(environ(b"a=1&b=2", kind))
    assert asked.stream.read(4) == b"a=1&"
    assert asked.form.to_dict() == {"b": "2"}


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize(("length", "error"), [(MAX_BODY, None), (MAX_BODY + 1, True)])
def test_they_are_no_longer_than_they_may_be(length: int, error: object, kind: str) -> None:
    asked = Request(environ(b"a=" + b"x" * (length - 2), kind))
    if error is None:
        assert len(asked.form["a"]) == length - 2
    else:
        with pytest.raises(RequestEntityTooLarge):
            _ = asked.form


def test_one_that_breaks_off_is_none() -> None:
    with pytest.raises(ClientDisconnected):
        _ = Request(environ(b"a=1", CONTENT_LENGTH="10")).form


def test_nothing_is_read_where_no_length_is_said() -> None:
    assert Request(environ(b"a=1", CONTENT_LENGTH="")).form.to_dict() == {}
