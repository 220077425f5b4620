"""Counters in the database: moved by single statements, correct over any number of processes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final, cast

from sqlalchemy import (
    BindParameter,
    Insert,
    Integer,
    Table,
    and_,
    bindparam,
    case,
    false,
    literal_column,
    or_,
)
from sqlalchemy.dialects import postgresql, sqlite

from idp.clock import LONG_AGO
from idp.frozen import made_often
from idp.models import Counter
from idp.models.plain import Plain

_counters: Final = cast("Table", Counter.__table__)

_NONE: Final = literal_column("0", Integer)
_ONE: Final = literal_column("1", Integer)
_OVER: Final = bindparam(None, LONG_AGO, type_=_counters.c.expires_at.type)
"""When the window of what is empty was over: the next try begins another."""


@made_often
@dataclass(frozen=True, slots=True)
class Bucket:
    """Something counted: no more than ``limit`` within ``window`` of the first."""

    key: str
    limit: int
    window: timedelta
    personal: bool = True
    """Is it one account's? Then a success empties it; what a network did stays counted."""
    closes: bool = False
    """Does waiting not help once it is full?"""


def _upsert(insert: postgresql.Insert | sqlite.Insert) -> Insert:
    """One more, or the first of a new window where the old one has passed."""
    new = insert.excluded
    over = _counters.c.expires_at <= new.window_start
    return insert.on_conflict_do_update(
        index_elements=[_counters.c.key],
        set_={
            "count": case((over, _ONE), else_=_counters.c.count + _ONE),
            "window_start": case((over, new.window_start), else_=_counters.c.window_start),
            "expires_at": case((over, new.expires_at), else_=_counters.c.expires_at),
        },
    ).returning(_counters.c.key, _counters.c.count, _counters.c.expires_at)


@cache
def _counting(number: int) -> Plain:
    """Counts so many."""
    rows = [
        {
            "key": _key(f"key{place}"),
            "count": _ONE,
            # Only the first row's values take their types from the columns.
            "window_start": bindparam("now", type_=_counters.c.window_start.type),
            "expires_at": bindparam(f"ends{place}", type_=_counters.c.expires_at.type),
        }
        for place in range(number)
    ]
    return Plain(
        {
            "postgresql": _upsert(postgresql.insert(_counters).values(rows)),
            "sqlite": _upsert(sqlite.insert(_counters).values(rows)),
        }
    )


def _key(name: str) -> BindParameter[str]:
    return bindparam(name, type_=_counters.c.key.type)


@cache
def _settling(kinds: tuple[str, ...]) -> Plain:
    """Takes one off each that is ``less``, and empties each that is ``none``, in this order.

    It locks them as counting does, one by one in the order of the rows, by whatever plan. An empty
    one stays where it is, so that the next try writes to no index; upkeep finds it expired.
    """
    names = [f"{kind}{place}" for place, kind in enumerate(kinds)]
    over = {"window_start": _OVER, "expires_at": _OVER}
    rows = [{"key": _key(name), "count": _NONE, **over} for name in names]
    emptied = [_key(name) for name in names if name.startswith("none")]
    return Plain(
        {
            "postgresql": _settle(postgresql.insert(_counters).values(rows), emptied),
            "sqlite": _settle(sqlite.insert(_counters).values(rows), emptied),
        }
    )


def _settle(
    insert: postgresql.Insert | sqlite.Insert, emptied: Sequence[BindParameter[str]]
) -> Insert:
    is_emptied = _counters.c.key.in_(emptied) if emptied else false()
    is_counted = and_(
        _counters.c.count > _NONE, _counters.c.window_start <= bindparam("counted_at")
    )
    return insert.on_conflict_do_update(
        index_elements=[_counters.c.key],
        set_={
            "count": case((is_emptied, _NONE), else_=_counters.c.count - _ONE),
            "expires_at": case((is_emptied, _OVER), else_=_counters.c.expires_at),
        },
        where=or_(is_emptied, is_counted),
    )


def count(
    buckets: Iterable[Bucket], now: datetime, *, commit: bool = False
) -> dict[str, tuple[int, datetime]]:
    """Add one to each, in one statement; returns the counts and when their windows end.

    Of two that count at the same moment each sees its own: the row is locked while it grows.
    """
    rows = sorted(buckets, key=lambda one: one.key)  # one order, so that none deadlock
    values = {
        "now": now,
        **{f"key{place}": one.key for place, one in enumerate(rows)},
        **{f"ends{place}": now + one.window for place, one in enumerate(rows)},
    }
    statement = _counting(len(rows))
    # A crash may forget the tries of its last moment: to guess by that takes a crash a guess.
    found = statement.end_unwaited(values) if commit else statement.all(values)
    return {one.key: (one.count, one.expires_at) for one in found}


def settle(
    *, less: Iterable[str] = (), none: Iterable[str] = (), counted_at: datetime | None = None
) -> None:
    """Forget ``none``, and take one off each of ``less`` that is still in the window in which it
    was counted, ``counted_at``."""
    kinds = {**dict.fromkeys(less, "less"), **dict.fromkeys(none, "none")}
    if kinds:
        keys = sorted(kinds)  # as they are counted
        named = {f"{kinds[key]}{place}": key for place, key in enumerate(keys)}
        statement = _settling(tuple(kinds[key] for key in keys))
        statement.later({**named, "counted_at": counted_at or LONG_AGO})
