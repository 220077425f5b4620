"""JSON from outside: what is not wholly well is not read, by the short way as by the long one."""

import json
from types import MappingProxyType
from typing import Any

import pytest

from idp.protocol.json_values import MAX_DEPTH, parse_json, thaw

ESCAPED = r', "\u00e9": "\u00e9"'
"""What has the document read by the long way: a character in it that does not stand there."""


def nested(depth: int, inside: str) -> str:
    """Lists in lists; what is ``inside`` is that deep."""
    return "[" * depth + inside + "]" * depth


GOOD = {
    "members": ('{"a": 1, "b": "x"}', {"a": 1, "b": "x"}),
    "every kind": (
        '{"a": [true, false, null, 1, 1.5, "x"]}',
        {"a": [True, False, None, 1, 1.5, "x"]},
    ),
    "objects in lists in objects": ('{"a": [{"b": {}}, []]}', {"a": [{"b": {}}, []]}),
    "laid out with tabs and lines": ('{\t"a":\r\n 1}', {"a": 1}),
    "text beyond ASCII": ('{"name": "Zoë ☃ 𐍈"}', {"name": "Zoë ☃ 𐍈"}),
    "as deep as may be": (f'{{"a": {nested(MAX_DEPTH - 1, "1")}}}', None),
    "an empty list at the bottom": (f'{{"a": {nested(MAX_DEPTH - 1, "[]")}}}', None),
}

BAD = {
    "a member twice": '{"a": 1, "a": 1}',
    "a member twice, further in": '{"x": [{"a": 1, "a": 2}]}',
    "not a number": '{"a": NaN}',
    "an infinity": '{"a": -Infinity}',
    "a number too large": '{"a": 1e999}',
    "a control character": '{"a": "\x01"}',
    "a delete": '{"a": "\x7f"}',
    "a control character beyond ASCII": '{"a": "\x85"}',
    "a control character in a name": '{"\x7f": 1}',
    "a lone surrogate": '{"a": "\ud800"}',
    "an escaped zero": r'{"a": "\u0000"}',
    "an escaped line end": r'{"a": "\n"}',
    "an escaped surrogate": r'{"a": "\udfff"}',
    "an escaped zero in a name": r'{"\u0000": 1}',
    "too deep": f'{{"a": {nested(MAX_DEPTH, "1")}}}',
    "a member too deep": f'{{"a": {nested(MAX_DEPTH - 1, "{}")}}}'.replace("{}", '{"b": 1}'),
    "endlessly deep": "[" * 100_000,
    "something behind it": '{"a": 1} {}',
    "a mark in front": '\ufeff{"a": 1}',
    "nothing": "",
}


def by_the_long_way(text: str) -> str:
    """The same with something escaped in it."""
    return text[:-1] + ESCAPED + "}" if text.endswith("}") else text


@pytest.mark.parametrize(("text", "value"), GOOD.values(), ids=GOOD)
def test_what_is_well_is_read(text: str, value: Any) -> None:
    wanted = json.loads(text) if value is None else value
    assert thaw(parse_json(text)) == wanted
    assert thaw(parse_json(by_the_long_way(text))) == {**wanted, "é": "é"}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_not_well_is_refused(text: str) -> None:
    for one in (text, by_the_long_way(text)):
        with pytest.raises(ValueError, match=r"^(is|has|holds) "):
            parse_json(one)


def test_nothing_of_it_can_be_changed() -> None:
    found: Any = parse_json('{"a": [{"b": [1]}], "c": {"d": 1}}')
    assert isinstance(found, MappingProxyType)
    assert isinstance(found["c"], MappingProxyType)
    assert found["a"] == ({"b": (1,)},)
    assert isinstance(found["a"][0], MappingProxyType)
