"""A query is read as everybody reads one, by whatever way is the shortest."""

from urllib.parse import parse_qsl

import pytest
from werkzeug.test import EnvironBuilder

from idp.web.authorization import parameters_of
from idp.web.requests import Request

QUERIES = [
    ("plain", "a=b&c=d"),
    ("an address", "redirect_uri=https%3A%2F%2Fshop.example%2Fcallback"),
    ("an address in small letters", "redirect_uri=https%3a%2f%2fshop.example%2Fcallback"),
    ("an address in an address", "u=https%3A%2F%2Fa.example%2F%3Fu%3Dhttps%253A%252F%252Fb"),
    ("what was encoded twice", "a=%253A%252F%252B"),
    ("a list", "scope=openid+email"),
    ("a list in two ways", "scope=openid+email%20profile"),
    ("a plus", "a=1%2B1+2&b=%2B%3A"),
    ("names", "na%6De=%3A&a+b=%2F&%3A=%3A"),
    ("no UTF-8", "a=%FF%3A"),
    ("more than ASCII", "a=caf%C3%A9%3A"),
    ("no encoding at all", "a=%&b=%3&c=%zz%3A&d=100%+%2F"),
    ("signs of equality", "a=b=c%3A&=d&e&f="),
]


@pytest.mark.parametrize("query", [one for _, one in QUERIES], ids=[one for one, _ in QUERIES])
def test_it_is_read_as_the_library_reads_it(query: str) -> None:
    request = Request(EnvironBuilder(query_string=query).get_environ())
    read = [(name, one) for name, values in parameters_of(request).values.items() for one in values]
    assert read == parse_qsl(query, keep_blank_values=True)
