"""Where tries are counted: in the database, and, of networks, in Redis where there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Self

from idp.config import Settings
from idp.services import counters
from idp.services.counters import Bucket

if TYPE_CHECKING:
    from idp.services.quick_counts import QuickCounts


@dataclass(frozen=True, slots=True)
class Counted:
    """``counts`` and ends of windows by key; ``keys`` were counted here, ``quick`` in Redis."""

    counts: Mapping[str, tuple[int, datetime]]
    keys: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()


class Tallies:
    """What one account may do is always counted in the database, and nothing counts for twice."""

    def __init__(self, quick: "QuickCounts | None" = None) -> None:
        self._quick = quick

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As ``redis_url`` says; what that takes is imported only then."""
        if settings.redis_url is None:
            return cls()
        return cls(import_module("idp.services.quick_counts").QuickCounts(settings.redis_url))

    def count(self, buckets: Sequence[Bucket], now: datetime, *, commit: bool = False) -> Counted:
        """Add one to each."""
        shared = [one for one in buckets if not one.personal] if self._quick else []
        found = self._quick.count(shared, now) if self._quick and shared else None
        if found is None:
            found, shared = {}, []
        mine = [one for one in buckets if one not in shared]
        counts = counters.count(mine, now, commit=commit) if mine else {}
        keys, quick = (tuple(one.key for one in some) for some in (mine, shared))
        return Counted({**found, **counts}, keys, quick)

    def subtract(
        self, counted: Counted, at: datetime, *, emptied: frozenset[str] = frozenset()
    ) -> None:
        """Take back what was counted ``at`` this time, and forget ``emptied`` altogether."""
        counters.settle(less=set(counted.keys) - emptied, none=emptied, counted_at=at)
        if self._quick and counted.quick:
            self._quick.subtract(counted.quick, at)
