"""Cookies as they come: read like Werkzeug does, whatever was sent."""

import re

import pytest
import werkzeug
from hypothesis import example, given
from hypothesis import strategies as st

from idp.web.requests import Request
from tests.helpers.house import House


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


QUOTED = {
    "another line": r'"a\015\012X-Other: b"',
    "an attribute": r'"a; Domain=elsewhere.example"',
    "a control character": r'"\001"',
    "nothing of ours": "a",
}


@pytest.mark.parametrize("sent", QUOTED.values(), ids=QUOTED)
def test_what_is_no_token_of_ours_is_not_sent_back_as_one(town: House, sent: str) -> None:
    """What is quoted in a cookie may be anything, once it is read."""
    client = town.app.test_client(use_cookies=False)
    url = town.client().authorization_url()
    response = client.get(url, headers={"Cookie": f"idp_browser={sent}"})
    assert response.status_code == 303
    (cookie,) = response.headers.getlist("Set-Cookie")
    assert OURS.fullmatch(cookie)


OURS = re.compile(r"idp_browser=[\w-]{43}; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax")
