"""What happened on one person's account, for that person: the audit log, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, or_, select

from idp.models import AuditEvent, BrowserSession, db

PAGE: Final = 25

_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "sign_ins": ("login.", "session.", "step_up."),
    "apps": ("consent.", "grant.", "token.", "code.", "device."),
}
GROUPS: Final = ("all", "sign_ins", "changes", "apps")
"""What may be looked at; "changes" is what the other two are not."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, with the browser of the session it belongs to, where that is still known."""

    event: AuditEvent
    user_agent: str


@dataclass(frozen=True, slots=True)
class Activity:
    """One page of events, newest first, and the ids where the pages beside it begin."""

    happenings: Sequence[Happening]
    older: int | None
    newer: int | None


def activity(
    user_id: str, *, group: str = "all", before: int | None = None, after: int | None = None
) -> Activity:
    """The page below the id ``before``, or the one above ``after``; the newest without either."""
    mine = select(AuditEvent).where(AuditEvent.user_id == user_id, *_within(group))
    if after is not None:
        rows = mine.where(AuditEvent.id > after).order_by(AuditEvent.id).limit(PAGE + 1)
        found = list(db.session.scalars(rows))
        more, events = len(found) > PAGE, found[:PAGE][::-1]
        return _page(events, older=bool(events), newer=more)
    if before is not None:
        mine = mine.where(AuditEvent.id < before)
    found = list(db.session.scalars(mine.order_by(AuditEvent.id.desc()).limit(PAGE + 1)))
    return _page(found[:PAGE], older=len(found) > PAGE, newer=before is not None)


def _page(events: Sequence[AuditEvent], *, older: bool, newer: bool) -> Activity:
    return Activity(
        _with_browsers(events),
        older=events[-1].id if events and older else None,
        newer=events[0].id if events and newer else None,
    )


def happening(user_id: str, event_id: int) -> Happening | None:
    """One event of this person; None for anybody else's."""
    event = db.session.scalar(
        select(AuditEvent).where(AuditEvent.user_id == user_id, AuditEvent.id == event_id)
    )
    return next(iter(_with_browsers([event])), None) if event else None


def made_in(user_id: str, method: str) -> dict[str, str]:
    """In which browser each credential of this kind was made, by its id, where that is known."""
    made = select(AuditEvent.data).where(
        AuditEvent.user_id == user_id,
        AuditEvent.name.in_((f"{method}.added", f"{method}.replaced")),
    )
    return {
        data["credential_id"]: data.get("user_agent", "")
        for data in db.session.scalars(made)
        if "credential_id" in data
    }


def _within(group: str) -> tuple[ColumnElement[bool], ...]:
    if group in _PREFIXES:
        return (or_(*map(AuditEvent.name.startswith, _PREFIXES[group])),)
    if group == "changes":
        others = [prefix for prefixes in _PREFIXES.values() for prefix in prefixes]
        return tuple(~AuditEvent.name.startswith(prefix) for prefix in others)
    return ()


def _with_browsers(events: Sequence[AuditEvent]) -> list[Happening]:
    ids = {event.session_id for event in events if event.session_id}
    rows = db.session.execute(
        select(BrowserSession.id, BrowserSession.user_agent).where(BrowserSession.id.in_(ids))
    )
    browsers = {row.id: row.user_agent for row in rows}
    return [
        Happening(event, event.data.get("user_agent") or browsers.get(event.session_id or "", ""))
        for event in events
    ]
