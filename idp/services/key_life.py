"""A signing key's life, derived from its dates: published, signing, superseded, gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

State = Literal["waiting", "signing", "published", "removed"]


@dataclass(frozen=True, slots=True)
class Life:
    """One key. It signs from ``signs_from`` until ``stops_at`` (None: until there is another)."""

    kid: str
    algorithm: str
    published_at: datetime
    signs_from: datetime
    stops_at: datetime | None
    removed_at: datetime | None

    def is_published(self, now: datetime, keep: timedelta) -> bool:
        """Is it in the key set? Until ``keep`` after it stopped, unless it was removed at once."""
        if self.removed_at is not None and now >= self.removed_at:
            return False
        return self.stops_at is None or now < self.stops_at + keep

    def may_sign(self, now: datetime) -> bool:
        """Has it not stopped by ``now``?"""
        return self.removed_at is None and (self.stops_at is None or now < self.stops_at)

    def state(self, now: datetime, keep: timedelta) -> State:
        """In one word."""
        if not self.is_published(now, keep):
            return "removed"
        if not self.may_sign(now):
            return "published"
        return "waiting" if now < self.signs_from else "signing"


def life_of(rows: Iterable[Any]) -> tuple[Life, ...]:
    """The lives of all keys from their rows, in the order given.

    A key stops when it is retired, or when a younger one of its algorithm starts.
    """
    found = tuple(rows)
    return tuple(
        Life(
            kid=row.id,
            algorithm=row.algorithm,
            published_at=row.published_at,
            signs_from=row.signs_from,
            stops_at=_stops_at(row, found),
            removed_at=row.removed_at,
        )
        for row in found
    )


def _stops_at(row: Any, rows: Sequence[Any]) -> datetime | None:
    ends = [
        other.signs_from
        for other in rows
        if other.algorithm == row.algorithm and _age(other) > _age(row) and _ever_signs(other)
    ]
    if row.retired_at is not None:
        ends.append(row.retired_at)
    return min(ends, default=None)


def _age(row: Any) -> tuple[datetime, str]:
    return row.signs_from, row.id


def _ever_signs(row: Any) -> bool:
    return row.retired_at is None or row.retired_at > row.signs_from


def signing_at(lives: Iterable[Life], algorithm: str, now: datetime) -> Life | None:
    """The key of ``algorithm`` that signs at ``now``; None when there is none at all."""
    able = [one for one in lives if one.algorithm == algorithm and one.may_sign(now)]
    started = [one for one in able if one.signs_from <= now]
    if started:
        return max(started, key=lambda one: (one.signs_from, one.kid))
    # A node whose clock lags behind the one that made the first key: it is published, so it may.
    return min(able, key=lambda one: (one.signs_from, one.kid), default=None)
