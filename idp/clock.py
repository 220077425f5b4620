"""The only place that reads the time; everything else is handed a ``Clock``."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

Clock = Callable[[], datetime]
"""Returns the present instant: timezone-aware, UTC, with microseconds."""

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""What is over since then is over by any clock."""

FOLLOWED: Final = timedelta(seconds=2)
"""How far a clock may be set back and be followed: as much as time servers correct in one step."""


def system_clock() -> datetime:
    """The machine's time as an aware UTC instant."""
    return datetime.now(UTC)


class SteadyClock:
    """The machine's time, which goes on where it was when somebody sets the machine's back.

    What has expired must not come back to life by that: sessions, links, codes, keys. ``behind``
    is then how far the machine's time is behind this one; it takes a new process to follow it.
    """

    def __init__(
        self, machine: Clock = system_clock, beats: Callable[[], float] = monotonic
    ) -> None:
        self._machine = machine
        self._beats = beats
        self._seen = (machine(), beats())

    def __call__(self) -> datetime:
        """The present instant."""
        told, beat = self._machine(), self._beats()
        due = self._due(beat)
        if told < due - FOLLOWED:
            return due
        self._seen = (told, beat)
        return told

    @property
    def behind(self) -> timedelta:
        """How far the machine's time is behind; zero where it is followed."""
        behind = self._due(self._beats()) - self._machine()
        return behind if behind > FOLLOWED else timedelta()

    def _due(self, beat: float) -> datetime:
        """What the time has to be, by the beats since it was last believed."""
        at, then = self._seen
        return at + timedelta(seconds=beat - then)


def epoch(instant: datetime) -> int:
    """Whole seconds since 1970-01-01T00:00:00Z, as JWTs carry them (NumericDate, RFC 7519 §2)."""
    return int(instant.timestamp())
