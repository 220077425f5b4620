"""Instants and ages as people write them on a command line."""

import re
from datetime import UTC, datetime, timedelta

import click

from idp.clock import system_clock

_AGE = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age(text: str) -> timedelta:
    """``90s``, ``15m``, ``3h``, ``2d``, ``1w``. Raises ``ValueError`` with a sentence."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text} is not an age such as 90s, 15m, 3h, 2d or 1w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


class Moment(click.ParamType[datetime]):
    """An instant: an age back from now, or an ISO 8601 date or time (UTC where it has no zone)."""

    name = "when"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it; a usage error where it cannot be read."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            return system_clock() - age(text)
        except (ValueError, OverflowError):
            return self._iso(text, param, ctx)

    def _iso(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text} is neither an age (2h, 7d) nor a time (2030-06-01T12:00).")
        return read if read.tzinfo else read.replace(tzinfo=UTC)
