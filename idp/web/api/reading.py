"""What came with a call, read strictly: by the schemas that the document shows."""

import json
from collections.abc import Mapping
from typing import Any, Final

from flask import request

from idp.protocol.text import is_clean, is_clean_json
from idp.web.api.checking import check
from idp.web.api.components import COMPONENTS
from idp.web.api.operation import Operation
from idp.web.api.problems import Problem, errors_of, wrong_query
from idp.web.api.schema import Schema
from idp.web.sizes import most_at

TYPES: Final = {"application/json", "application/merge-patch+json"}
"""RFC 8259, and RFC 7396 for those who call a patch by its name."""


def read_query(operation: Operation) -> Mapping[str, Any]:
    """The parameters behind the question mark. Raises ``Problem`` with all that is wrong."""
    given: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for name, values in request.args.lists():
        schema = operation.query.get(name)
        if schema is None:
            problems.append((name, "is not known here"))
        elif len(values) > 1 or not is_clean(values[0]):
            problems.append((name, "must be given once, without control characters"))
        else:
            given[name] = _typed(schema, values[0])
            problems += check(schema, given[name], name, COMPONENTS)
    if problems:
        raise wrong_query(*problems)
    defaults = {name: one["default"] for name, one in operation.query.items() if "default" in one}
    return {**defaults, **given}


def _typed(schema: Schema, value: str) -> Any:
    """A query holds nothing but text; what does not read as its type stays text, to be refused."""
    if schema["type"] == "integer" and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return (
        {"true": True, "false": False}.get(value, value) if schema["type"] == "boolean" else value
    )


def read_body(operation: Operation) -> Any:
    """The body, which fits the operation's schema. Raises ``Problem`` with all that is wrong."""
    request.max_content_length = most_at(request.path)
    raw = request.get_data()
    if operation.body is None:
        if raw.strip() not in (b"", b"{}"):
            raise Problem(400, "This takes no body.")
        return None
    body = _parsed(raw) if raw or "required" in operation.body else {}
    problems = list(check(operation.body, body, "", COMPONENTS))
    if problems:
        errors = errors_of([(field or "body", told) for field, told in problems])
        raise Problem(422, "Nothing was changed: see what is wrong.", errors=errors)
    return body


def _parsed(raw: bytes) -> Any:
    if request.mimetype not in TYPES:
        raise Problem(415, "The body must be application/json.")
    try:
        read = json.loads(
            raw.decode(), object_pairs_hook=_members_once, parse_constant=_no_constant
        )
        is_sound = _is_sound(read)
    except (ValueError, RecursionError):
        is_sound = False
    if not is_sound:
        told = "The body is not JSON, or names a member twice, or holds control characters."
        raise Problem(400, told)
    return read


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _is_sound(value: Any) -> bool:
    if isinstance(value, str):
        return is_clean_json(value)
    if isinstance(value, dict):
        return all(_is_sound(name) and _is_sound(one) for name, one in value.items())
    return all(map(_is_sound, value)) if isinstance(value, list) else True
