"""Cookies as they come: read like Werkzeug does, whatever was sent."""

import werkzeug
from hypothesis import example, given
from hypothesis import strategies as st

from idp.web.requests import Request


def read_by(kind: type[werkzeug.Request], sent: str) -> dict[str, list[str]]:
    return kind({"QUERY_STRING": "", "HTTP_COOKIE": sent}).cookies.to_dict(flat=False)


@given(st.text('ab=; ",\\\t\r\xe9', max_size=24))
@example("a=b; b=a==; a=; b=\xe9")
@example("a=b;b=a")
@example('a="b; b"; b=a')
def test_they_are_read_as_werkzeug_reads_them(sent: str) -> None:
    assert read_by(Request, sent) == read_by(werkzeug.Request, sent)


def test_none_is_read_where_none_is_sent() -> None:
    assert not Request({"QUERY_STRING": ""}).cookies
