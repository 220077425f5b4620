"""JSON from outside: strict to read, immutable to keep."""

import json
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from idp.protocol.text import is_clean, is_clean_json

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

MAX_DEPTH: Final = 8


def parse_json(text: str) -> Json:
    """Read one JSON document, frozen.

    Raises ``ValueError`` with a sentence for people: not JSON, a member named twice, NaN or an
    infinity, text with control characters, or nesting deeper than ``MAX_DEPTH``.
    """
    try:
        value: object = _read(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("is not valid JSON, or names a member twice") from error
    # Where nothing is escaped, every character of every text in it stands in the document itself.
    clean = "\\" not in text and is_clean_json(text)
    return _frozen(value, 0) if clean else freeze(value)


_PLAIN: Final = frozenset({str, int, bool, type(None)})


def _frozen(value: object, depth: int) -> Json:
    """``freeze`` for what was decoded and is clean."""
    # What stands in it is one deeper than it.
    if depth == MAX_DEPTH and value and isinstance(value, dict | list):
        raise ValueError("is nested too deeply")
    if isinstance(value, dict):
        return MappingProxyType(
            {
                name: one if type(one) in _PLAIN else _frozen(one, depth + 1)
                for name, one in value.items()
            }
        )
    if isinstance(value, list):
        return tuple([_frozen(one, depth + 1) for one in value])
    return _scalar(value)


def freeze(value: object, *, depth: int = 0) -> Json:
    """A deep, immutable copy of decoded JSON: tuples and read-only mappings.

    Raises ``ValueError`` for what JSON cannot hold or we do not accept (see ``parse_json``).
    """
    if depth > MAX_DEPTH:
        raise ValueError("is nested too deeply")
    if isinstance(value, Mapping):
        return MappingProxyType(
            {_name(name): freeze(member, depth=depth + 1) for name, member in value.items()}
        )
    if isinstance(value, list | tuple):
        return tuple(freeze(item, depth=depth + 1) for item in value)
    return _scalar(value)


def thaw(value: Json) -> object:
    """The same value as plain lists and dictionaries, ready for ``json.dumps``."""
    if isinstance(value, Mapping):
        return {name: thaw(member) for name, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [thaw(item) for item in value]
    return value


def _name(name: object) -> str:
    if not isinstance(name, str) or not is_clean(name):
        raise ValueError("has a member name that is not clean text")
    return name


def _scalar(value: object) -> Json:
    if isinstance(value, str) and not is_clean(value):
        raise ValueError("holds text with control characters")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("holds a number that is not finite")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError("holds something that is not JSON")


def _members_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Two parsers disagree on which of two equal names counts; what we check must be what is used.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_read: Final = json.JSONDecoder(object_pairs_hook=_members_once, parse_constant=_no_constant).decode
