"""The only place that reads the time; everything else is handed a ``Clock``."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present instant: timezone-aware, UTC, with microseconds."""


def system_clock() -> datetime:
    """The machine's time as an aware UTC instant."""
    return datetime.now(UTC)


def epoch(instant: datetime) -> int:
    """Whole seconds since 1970-01-01T00:00:00Z, as JWTs carry them (NumericDate, RFC 7519 §2)."""
    return int(instant.timestamp())
