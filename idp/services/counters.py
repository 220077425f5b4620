"""Counters in the database: moved by single statements, correct over any number of processes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Delete, Insert, Update, bindparam, case, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from idp.models import Counter, db


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
    over = Counter.expires_at <= new.window_start
    return insert.on_conflict_do_update(
        index_elements=[Counter.key],
        set_={
            "count": case((over, new.count), else_=Counter.count + 1),
            "window_start": case((over, new.window_start), else_=Counter.window_start),
            "expires_at": case((over, new.expires_at), else_=Counter.expires_at),
        },
    ).returning(Counter.key, Counter.count, Counter.expires_at)


_UPSERTS = {
    "postgresql": _upsert(postgresql.insert(Counter)),
    "sqlite": _upsert(sqlite.insert(Counter)),
}
_MINUS_ONE = (
    update(Counter)
    .where(
        Counter.key == bindparam("counted"),
        Counter.count > 0,
        Counter.window_start <= bindparam("counted_at"),
    )
    .values(count=Counter.count - 1)
)
_DELETE = delete(Counter).where(Counter.key == bindparam("counted"))


def count(buckets: Iterable[Bucket], now: datetime) -> dict[str, tuple[int, datetime]]:
    """Add one to each, in one statement; returns the counts and when their windows end.

    Of two that count at the same moment each sees its own: the row is locked while it grows.
    """
    rows = [
        {"key": one.key, "count": 1, "window_start": now, "expires_at": now + one.window}
        for one in sorted(buckets, key=lambda one: one.key)  # one order, so that none deadlock
    ]
    connection = db.session.connection()
    counted = connection.execute(_UPSERTS[connection.dialect.name], rows).all()
    return {key: (count, expires_at) for key, count, expires_at in counted}


def subtract(keys: Iterable[str], counted_at: datetime) -> None:
    """Take one off each that is still in the window in which it was counted."""
    _each(_MINUS_ONE, [{"counted": key, "counted_at": counted_at} for key in sorted(keys)])


def empty(keys: Iterable[str]) -> None:
    _each(_DELETE, [{"counted": key} for key in sorted(keys)])


def _each(statement: Update | Delete, parameters: Sequence[Mapping[str, object]]) -> None:
    # A row at a time, because one statement for several locks them in an order of its own.
    if parameters:
        db.session.connection().execute(statement, parameters)
