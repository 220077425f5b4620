"""Holding a JSON value against a schema: everything that is wrong with it, field by field."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from idp.web.api.schema import REFERENCE, Schema

Found = Iterator[tuple[str, str]]
"""Where it is, as ``people[2].email``, and a sentence about it."""


def check(schema: Schema, value: Any, where: str, kept: Mapping[str, Schema]) -> Found:
    """What is wrong with ``value``, which stands at ``where``; nothing when it fits.

    ``kept`` are the schemas that references name.
    """
    if "$ref" in schema:
        schema = kept[schema["$ref"].removeprefix(REFERENCE)]
    if problem := _type_problem(schema, value):
        yield where, problem
    elif "enum" in schema and value not in schema["enum"]:
        known = ", ".join(str(one) for one in schema["enum"] if one is not None)
        yield where, f"must be one of: {known}"
    elif isinstance(value, Mapping):
        yield from _object(schema, value, where, kept)
    elif isinstance(value, list):
        yield from _list(schema, value, where, kept)
    else:
        yield from ((where, told) for told in _bounds(schema, value))


def _type_problem(schema: Schema, value: Any) -> str | None:
    wanted = schema.get("type")
    if wanted is None:
        return None
    names = [wanted] if isinstance(wanted, str) else wanted
    if any(_TYPES[name](value) for name in names):
        return None
    return f"must be {' or '.join(_WORDS[name] for name in names)}"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_whole,
    "null": lambda value: value is None,
}
_WORDS: Final[Mapping[str, str]] = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
}


def _object(
    schema: Schema, value: Mapping[str, Any], where: str, kept: Mapping[str, Schema]
) -> Found:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _below(where, name), "is missing"
    for name, member in value.items():
        found = known.get(name) or _by_pattern(schema, name)
        if found is not None:
            yield from check(found, member, _below(where, name), kept)
        elif schema.get("additionalProperties") is False:
            yield _below(where, name), "is not known here"


def _by_pattern(schema: Schema, name: str) -> Schema | None:
    patterns = schema.get("patternProperties", {})
    return next((one for pattern, one in patterns.items() if re.search(pattern, name)), None)


def _list(schema: Schema, value: Sequence[Any], where: str, kept: Mapping[str, Schema]) -> Found:
    if len(value) > schema.get("maxItems", len(value)):
        yield where, f"must have at most {schema['maxItems']} items"
        return
    for place, item in enumerate(value):
        yield from check(schema.get("items", {}), item, f"{where}[{place}]", kept)


def _bounds(schema: Schema, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _within(schema, len(value), ("minLength", "maxLength", " characters"))
    elif _is_whole(value):
        yield from _within(schema, value, ("minimum", "maximum", ""))


def _within(schema: Schema, size: int, names: tuple[str, str, str]) -> Iterator[str]:
    least, most, unit = names
    if size < schema.get(least, size):
        yield f"must be at least {schema[least]}{unit}"
    if size > schema.get(most, size):
        yield f"must be at most {schema[most]}{unit}"


def _below(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
