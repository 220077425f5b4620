"""Instants and ages as people write them on a command line."""

from datetime import UTC, datetime

import click

from idp.clock import system_clock
from idp.oidc.supposed import age


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
