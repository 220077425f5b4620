"""Signing keys on a line in time: where each part of a life is drawn, in a box of 1000 by 24."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.services.key_rotation import KeyInfo

WIDTH: Final = 1000
LEAST: Final = 4
"""What is drawn at all is wide enough to be seen."""
AHEAD: Final = timedelta(days=1)
"""How far the line goes on after the last thing that is known to happen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a life; ``kind`` is "waiting", "signing" or "published"."""

    kind: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Line:
    """From when till when, and where in between is now."""

    begins: datetime
    ends: datetime
    now: datetime
    takes_over: datetime | None = None
    """When the next key is to sign, if nobody rotates before: so long signs the youngest of now."""

    @classmethod
    def over(
        cls,
        keys: Sequence[KeyInfo],
        *,
        keep: timedelta,
        now: datetime,
        takes_over: datetime | None = None,
    ) -> "Line":
        """The line that all of them fit on."""
        if takes_over is not None:
            takes_over = max(takes_over, now)
        begins = min((key.published_at for key in keys), default=now)
        ends = max([now, *(until for key in keys if (until := _gone(key, keep)))])
        ends = max([ends, *(key.signs_from for key in keys)])
        ends = max(ends, takes_over + keep) if takes_over else ends
        return cls(min(begins, now), ends + max(AHEAD, (ends - begins) / 12), now, takes_over)

    @property
    def here(self) -> int:
        """Where now is."""
        return self._at(self.now)

    def bars(self, key: KeyInfo, keep: timedelta) -> tuple[Bar, ...]:
        """The parts of one key's life, in their order."""
        stops = key.stops_at or self.takes_over or self.ends
        gone = _gone(key, keep) or stops + keep
        spans = (
            ("waiting", key.published_at, min(key.signs_from, stops)),
            ("signing", key.signs_from, stops),
            ("published", stops, gone),
        )
        return tuple(
            Bar(kind, self._at(since), max(self._at(until) - self._at(since), LEAST))
            for kind, since, until in spans
            if since < until
        )

    def _at(self, moment: datetime) -> int:
        within = min(max(moment, self.begins), self.ends)
        return round((within - self.begins) / (self.ends - self.begins) * WIDTH)


def _gone(key: KeyInfo, keep: timedelta) -> datetime | None:
    """When it leaves the key set, as far as is known."""
    if key.removed_at is not None:
        return key.removed_at
    return key.stops_at + keep if key.stops_at else None
