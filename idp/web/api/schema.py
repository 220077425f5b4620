"""JSON Schemas (2020-12), as far as this API needs them: short to write where they are used."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

Schema = Mapping[str, Any]

LONGEST: Final = 2000
"""Characters of a text that nothing bounds by itself."""

REFERENCE: Final = "#/components/schemas/"

FLAG: Final[Schema] = {"type": "boolean"}
INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
"""RFC 3339, in UTC, with milliseconds."""
ANY: Final[Schema] = {}


def text(
    *, at_most: int = LONGEST, at_least: int = 0, of: Sequence[str] = (), about: str = ""
) -> Schema:
    """A text, or one of a few."""
    if of:
        return _about({"type": "string", "enum": list(of)}, about)
    least = {"minLength": at_least} if at_least else {}
    return _about({"type": "string", **least, "maxLength": at_most}, about)


def number(*, at_least: int = 0, at_most: int = 2**53 - 1, about: str = "") -> Schema:
    """A whole number."""
    return _about({"type": "integer", "minimum": at_least, "maximum": at_most}, about)


def many(item: Schema, *, at_most: int | None = None, about: str = "") -> Schema:
    """A list."""
    bound = {} if at_most is None else {"maxItems": at_most}
    return _about({"type": "array", "items": item, **bound}, about)


def or_null(schema: Schema) -> Schema:
    """The same, or nothing."""
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}


def members(
    required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, *, about: str = ""
) -> Schema:
    """An object of these members and no others."""
    properties = {**required, **(optional or {})}
    needed = {"required": list(required)} if required else {}
    made = {"type": "object", "properties": properties, **needed, "additionalProperties": False}
    return _about(made, about)


def named(name: str) -> Schema:
    """The schema that the document keeps under this name."""
    return {"$ref": f"{REFERENCE}{name}"}


def page_of(item: Schema) -> Schema:
    """A page of a list: its items, and what ``cursor`` to ask for the next; null on the last."""
    return members({"items": many(item), "next": or_null(text())})


def _about(schema: dict[str, Any], sentence: str) -> Schema:
    return {**schema, "description": sentence} if sentence else schema
