"""Values on their way to a driver, and back: what is bound, and what is found."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import psycopg
from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeEngine

from idp.json_text import load_sorted

Convert = Callable[[Any], Any]


def dump(of: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How values of a type are handed to the driver."""
    own = of.dialect_impl(dialect).bind_processor(dialect)
    if dialect.name == "sqlite":
        return own
    return _json_of(of, dialect) if _kind(of) is dict else _WORDS.get(_kind(of), _word)


def load(of: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How what is found of a type is read; NULL stays None."""
    if dialect.name == "sqlite":
        return of.dialect_impl(dialect).result_processor(dialect, None)
    return _LOADS[_kind(of)]


def _kind(of: Any) -> type:
    """The Python type of a column type, also of one that decorates another."""
    own = getattr(of, "impl_instance", of)
    return dict if isinstance(own, JSON) else own.python_type


def _json_of(of: Any, dialect: Any) -> Convert:
    serialise = dialect._json_serializer
    nothing = None if of.none_as_null else b"null"
    return lambda value: nothing if value is None else _text(serialise(value))


def _word(value: Any) -> bytes | None:
    if value is None:
        return None
    return (_DUMPS.get(value.__class__) or _other)(value)


def _maybe_text(value: Any) -> bytes | None:
    if value.__class__ is not str or "\0" in value:
        return _word(value)
    encoded: bytes = value.encode()
    return encoded


@lru_cache(100)
def _dumped(value: datetime) -> bytes:
    """A request writes its own instant many times."""
    return value.isoformat().encode()


def _text(value: str) -> bytes:
    if "\0" in value:  # libpq would take what stands before it for the whole
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return value.encode()


def _other(value: object) -> bytes:
    """What derives from one of these; anything else would be written as Python shows it."""
    if not isinstance(value, str | int | datetime):
        raise psycopg.DataError(f"a value of type {type(value).__name__} is not known here")
    return _text(str(value))


@lru_cache(500)
def _instant(value: bytes) -> datetime:
    return datetime.fromisoformat(value.decode()).astimezone(UTC)


_DUMPS: Final[Mapping[type, Convert]] = {
    str: _text,
    bool: lambda value: b"t" if value else b"f",
    int: lambda value: b"%d" % value,
    datetime: _dumped,
}
_WORDS: Final[Mapping[type, Convert]] = {str: _maybe_text}
"""What most values are, without a look at which they are."""
_LOADS: Final[Mapping[type, Convert]] = {
    str: bytes.decode,
    int: int,
    bool: lambda value: value == b"t",
    datetime: _instant,
    dict: load_sorted,
}
