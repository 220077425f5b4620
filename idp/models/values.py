"""Values on their way to a driver, and back: what is bound, and what is found."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import psycopg
from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeEngine

from idp.json_text import load_sorted, stored

Convert = Callable[[Any], Any]


def dump(of: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How values of a type are handed to the driver; for PostgreSQL, those that are not None."""
    if dialect.name == "sqlite":
        return of.dialect_impl(dialect).bind_processor(dialect)
    return _DUMPS.get(_kind(of), dump_any)


def nothing(of: TypeEngine[Any]) -> bytes | None:
    """What PostgreSQL is handed for None."""
    own: Any = getattr(of, "impl_instance", of)
    return b"null" if isinstance(own, JSON) and not own.none_as_null else None


def load(of: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How what is found of a type is read; NULL stays None."""
    if dialect.name == "sqlite":
        return of.dialect_impl(dialect).result_processor(dialect, None)
    return _LOADS[_kind(of)]


def _kind(of: Any) -> type:
    """The Python type of a column type, also of one that decorates another."""
    own = getattr(of, "impl_instance", of)
    return dict if isinstance(own, JSON) else own.python_type


def dump_any(value: object) -> bytes:
    """What PostgreSQL is handed for a value whose type is not its column's. Raises ``DataError``
    for what it does not know."""
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, datetime):
        return value.isoformat().encode()
    if not isinstance(value, str | int):  # which would be written as Python shows it
        raise psycopg.DataError(f"a value of type {type(value).__name__} is not known here")
    return str(value).encode()


# A request writes its own instant many times, and what is counted is mostly small.
_instant_of: Final = lru_cache(500)(dump_any)
_number_of: Final = lru_cache(500, typed=True)(dump_any)


@lru_cache(500)
def _instant(value: bytes) -> datetime:
    return datetime.fromisoformat(value.decode()).astimezone(UTC)


# Everything that is C here stays C: a call of Python's costs more than what it would do.
_DUMPS: Final[Mapping[type, Convert]] = {
    str: str.encode,
    bool: _number_of,
    int: _number_of,
    datetime: _instant_of,
    dict: stored,
}
_LOADS: Final[Mapping[type, Convert]] = {
    str: bytes.decode,
    int: int,
    bool: b"t".__eq__,
    datetime: _instant,
    dict: load_sorted,
}
