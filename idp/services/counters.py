"""Counters in the database: moved by single statements, correct over any number of processes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final, cast

from sqlalchemy import BindParameter, Delete, Insert, Table, Update, bindparam, case, select
from sqlalchemy.dialects import postgresql, sqlite

from idp.frozen import made_often
from idp.models import Counter
from idp.models.base import dialect
from idp.models.plain import Plain

_counters: Final = cast("Table", Counter.__table__)


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
            "count": case((over, new.count), else_=_counters.c.count + 1),
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
            "count": 1,
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


def _one_off(number: int) -> Update:
    keys = [_key(f"less{place}") for place in range(number)]
    return (
        _counters.update()
        .where(
            _counters.c.key.in_(keys),
            _counters.c.count > 0,
            _counters.c.window_start <= bindparam("counted_at"),
        )
        .values(count=_counters.c.count - 1)
    )


def _away(number: int) -> Delete:
    keys = [_key(f"none{place}") for place in range(number)]
    return _counters.delete().where(_counters.c.key.in_(keys))


def _in_order(less: int, none: int) -> Update | Delete:
    """Both in one statement that locks every row in the order in which they are counted."""
    names = [*(f"less{place}" for place in range(less)), *(f"none{place}" for place in range(none))]
    every = select(_counters.c.key).where(_counters.c.key.in_([_key(name) for name in names]))
    held = every.order_by(_counters.c.key).with_for_update().cte("held")
    is_held = _counters.c.key.in_(select(held.c.key))
    if none == 0:
        return _one_off(less).where(is_held)
    gone = _away(none).where(is_held)
    return gone.add_cte(_one_off(less).where(is_held).cte("off")) if less else gone


@cache
def _settling(less: int, none: int) -> Plain:
    """SQLite has one writer, so that nothing waits for a row: it takes one statement for each."""
    alone = _one_off(less) if less else _away(none)
    return Plain({"postgresql": _in_order(less, none), "sqlite": alone})


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
    off = {f"less{place}": key for place, key in enumerate(less)}
    gone = {f"none{place}": key for place, key in enumerate(none)}
    values = {**off, **gone, "counted_at": counted_at}
    if off or gone:
        _settling(len(off), len(gone)).later(values)
    if off and gone and dialect() == "sqlite":
        _settling(0, len(gone)).run(values)
