"""A clock that moves only when a test moves it."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """Callable like ``idp.clock.Clock``; stands still between calls of ``advance`` and ``set``."""

    def __init__(self, start: datetime = NOON) -> None:
        self.set(start)

    def __call__(self) -> datetime:
        return self._now

    def set(self, instant: datetime) -> datetime:
        """Move to ``instant`` (aware), backwards as well. Returns it in UTC."""
        if instant.tzinfo is None:
            raise ValueError("a naive instant means nothing: give it a time zone")
        self._now = instant.astimezone(UTC)
        return self._now

    def advance(
        self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> datetime:
        """Move on (or, with a negative amount, back) and return the new instant."""
        return self.set(
            self._now + timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
        )
