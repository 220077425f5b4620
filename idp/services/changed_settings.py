"""Settings changed while the program runs: kept in the database, seen by every process soon."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from idp import audit
from idp.audit import Context
from idp.config.live import CHANGEABLE, LiveSettings, parse, pinned
from idp.models import ChangedSetting, db, only_reads, release
from idp.services import settings_revision
from idp.services.invalid import Invalid

REFRESH_AFTER: Final = timedelta(seconds=3)
"""How long this process may not notice a change that another one made."""
LONGEST: Final = 2000
LOGOS: Final = ("logo_url", "logo_dark_url")
JUST_NOW: Final = "Somebody else changed this at the same moment. Look again."
NOT_HERE: Final = "This is not changed here."


Check = Callable[[Mapping[str, Any]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """As listed; ``source`` is "environment", "changed here", "started with" (the file says
    so) or "default"."""

    name: str
    value: Any
    source: str
    started_with: Any


class ChangedSettings:
    """The environment wins over what is changed here, and that over the file and the defaults."""

    def __init__(
        self,
        settings: LiveSettings,
        environ: Iterable[str] | None = None,
        *,
        check: Check = lambda _values: {},
    ) -> None:
        """``check`` says what is wrong with all values together, a sentence by name."""
        self._settings = settings
        self._check = check
        self._pinned = pinned(os.environ if environ is None else environ)
        self._read_at: datetime | None = None

    def refresh(self, now: datetime) -> None:
        """Read anew what was changed, at most every few seconds, in a transaction of its own.

        A database that does not answer leaves everything as it was.
        """
        if not self.is_due(now):
            return
        self._read_at = now
        try:
            only_reads()
            self._apply()
            release()
        except SQLAlchemyError:
            db.session.rollback()

    def is_due(self, now: datetime) -> bool:
        """Is it time to look again?"""
        return self._read_at is None or abs(now - self._read_at) >= REFRESH_AFTER

    def listed(self) -> Sequence[SettingInfo]:
        """Every setting that may be changed, with where its value comes from."""
        changed = self._stored()
        return [
            SettingInfo(
                name,
                getattr(self._settings, name),
                self._source(name, changed),
                self._settings.started_with(name),
            )
            for name in CHANGEABLE
        ]

    def logos(self) -> Sequence[str]:
        """Every address of a logo that is in the settings: now, or once a change is undone."""
        found = [one for one in self.listed() if one.name in LOGOS]
        return [str(value) for one in found for value in (one.value, one.started_with) if value]

    def set(
        self, values: Mapping[str, str], context: Context, *, expected: str | None = None
    ) -> Sequence[str]:
        """Change these; an empty text goes back to what the program was started with.

        ``expected`` is the revision that was looked at; None: whatever it is by now. Returns the
        names of those that differ from before. Commits once. Raises ``Invalid`` with all that is
        wrong, ``Stale``; then nothing is changed.
        """
        parsed = self._parsed(values)
        try:
            if expected is not None:
                settings_revision.claim(expected, context.at)
            changed = [name for name in parsed if self._write(name, values[name], parsed, context)]
            _keep(changed, expected, context.at)
        except IntegrityError as error:
            db.session.rollback()
            raise Invalid(dict.fromkeys(parsed, JUST_NOW)) from error
        self._apply()
        release()
        return changed

    def _parsed(self, values: Mapping[str, str]) -> dict[str, Any]:
        parsed: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for name, text in values.items():
            try:
                parsed[name] = self._read(name, text)
            except KeyError:
                problems[name] = NOT_HERE
            except ValueError as error:
                problems[name] = f"This {error}."
        if problems := problems or dict(self._check(self._with(parsed))):
            raise Invalid(problems)
        return parsed

    def _with(self, parsed: Mapping[str, Any]) -> dict[str, Any]:
        """All that may be changed, as it would be."""
        return {name: getattr(self._settings, name) for name in CHANGEABLE} | dict(parsed)

    def _read(self, name: str, text: str) -> Any:
        if name in self._pinned:
            raise ValueError(f"is set by the variable IDP_{name.upper()} of the server")
        if name not in CHANGEABLE:
            raise KeyError(name)
        if not text.strip():
            return self._settings.started_with(name)
        if len(text) > LONGEST:
            raise ValueError("must be shorter")
        return parse(name, text.strip())

    def _write(self, name: str, text: str, parsed: Mapping[str, Any], context: Context) -> bool:
        row = db.session.get(ChangedSetting, name, with_for_update=True)
        started = self._settings.started_with(name)
        before = self._stored().get(name, started)
        if parsed[name] == before:
            return False
        if row is not None and parsed[name] == started:
            db.session.delete(row)
        elif row is not None:
            row.value, row.changed_at = text.strip(), context.at
        else:
            db.session.add(ChangedSetting(name=name, value=text.strip(), changed_at=context.at))
        audit.record("setting.changed", context, setting=name, before=before, after=parsed[name])
        return True

    def _apply(self) -> None:
        self._settings.change(self._stored())

    def _stored(self) -> dict[str, Any]:
        """What counts of what is stored; what a later version cannot read is left out."""
        found: dict[str, Any] = {}
        for row in db.session.execute(select(ChangedSetting.name, ChangedSetting.value)):
            if row.name in self._pinned:
                continue
            try:
                found[row.name] = parse(row.name, row.value)
            except (KeyError, ValueError):
                continue
        return found

    def _source(self, name: str, changed: Mapping[str, Any]) -> str:
        if name in self._pinned:
            return "environment"
        if name in changed:
            return "changed here"
        return "default" if self._settings.is_default(name) else "started with"


def _keep(changed: Sequence[str], expected: str | None, now: datetime) -> None:
    """Nothing that was different is no change, and not counted either."""
    if not changed:
        db.session.rollback()
        return
    if expected is None:
        settings_revision.renew(now)
    db.session.commit()
