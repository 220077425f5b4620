"""JSON that is written by one library and read by another."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.json_text import dump, dump_sorted, load_sorted

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # With halves of surrogate pairs, and numbers of any size.
    | st.text(st.characters(exclude_categories=())),
    lambda deeper: st.lists(deeper) | st.dictionaries(st.text(), deeper),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_what_is_read(value: Any) -> None:
    assert json.loads(dump(value)) == json.loads(dump_sorted(value)) == value


@given(VALUES)
def test_what_is_read_back_is_what_was_written(value: Any) -> None:
    text = dump_sorted(value)
    assert repr(load_sorted(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"a":123456789012345678901}',
        "[18446744073709551616,-9223372036854775809,1.0,1e400,1E5,-0.0]",
        ' { "b" : 1 , "a" : [ 2 ] } ',
        '{"a":1,"a":2}',
        '{"a":"\\ud800"}',
        '{"a":"\\u00e9"}',
        "[NaN]",
        "null",
    ],
)
def test_what_others_wrote_is_read_as_it_always_was(text: str) -> None:
    assert repr(load_sorted(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["", "{", "{} {}", "\\"])
def test_what_is_no_document_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        load_sorted(text.encode())


def test_it_is_compact() -> None:
    assert dump({"a": [1, "é"], "b": (True, None)}) == '{"a":[1,"é"],"b":[true,null]}'


@pytest.mark.parametrize("odd", [2**70, "\ud800", "é"], ids=["large", "half a letter", "text"])
def test_the_order_of_members_is_no_matter(odd: object) -> None:
    one = dump_sorted({"b": odd, "a": {"d": 1, "c": 2}})
    assert one == dump_sorted({"a": {"c": 2, "d": 1}, "b": odd})
    assert one.index('"a"') < one.index('"b"')
    assert dump({"b": odd, "a": 1}).index('"b"') == 1


@pytest.mark.parametrize("value", [datetime(2026, 1, 1, tzinfo=UTC), b"bytes", {1, 2}, object()])
def test_what_json_has_no_form_for_is_an_error(value: object) -> None:
    with pytest.raises(TypeError):
        dump({"a": value})
