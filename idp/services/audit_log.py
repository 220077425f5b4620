"""Reading the audit log: by person, client, event, outcome, reference and time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import aliased

from idp.models import AuditEvent, db

Outcome = Literal["ok", "refused"]

BAD: Final = frozenset({"refused", "throttled", "failed", "replayed", "flawed", "repeated"})
"""How the name of an event ends that went wrong."""

PASSED: Final = "passed"
"""The ``outcome`` of a test in which all went well."""

_SLACK: Final = timedelta(hours=1)
_SAMPLE: Final = 100
_BATCH: Final = 500
_NEVER: Final = 2**63 - 1
"""No event gets so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; what is None is no matter.

    ``event`` is a whole name, or the words it begins with: ``login.password`` finds
    ``login.password.refused``. ``before`` is the id of the oldest event of the page before.
    """

    user_id: str | None = None
    client_id: str | None = None
    event: str | None = None
    outcome: Outcome | None = None
    reference: str | None = None
    transaction_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    at_most: int = 100


def search(wanted: Search) -> Sequence[AuditEvent]:
    """The events, the newest first.

    Where nothing but the name narrows it, each name is looked for by itself: what is rare is then
    found without reading what is not.
    """
    statement = _narrowed(select(AuditEvent), wanted)
    newest = AuditEvent.id.desc()
    if wanted.event is None and wanted.outcome is None:
        return db.session.scalars(statement.order_by(newest).limit(wanted.at_most)).all()
    names = [name for name in names_in_use() if _is_wanted(name, wanted)]
    if not names:
        return []
    if wanted.user_id or wanted.client_id or wanted.reference:
        statement = statement.where(AuditEvent.name.in_(names))
        return db.session.scalars(statement.order_by(newest).limit(wanted.at_most)).all()
    return _of_each(names, wanted)


def every(wanted: Search) -> Iterator[AuditEvent]:
    """All of them, the newest first, read a batch at a time; ``at_most`` in the end."""
    left, page = wanted.at_most, wanted
    while left > 0:
        found = search(replace(page, at_most=min(left, _BATCH)))
        yield from found
        if len(found) < _BATCH:
            return
        left, page = left - len(found), replace(page, before=found[-1].id)
        db.session.expunge_all()


def names_in_use() -> list[str]:
    """Every name that there is an event of, by the alphabet: as many look-ups as there are."""
    first = select(AuditEvent.name).order_by(AuditEvent.name).limit(1).scalar_subquery()
    found = select(first.label("name")).cte("found", recursive=True)
    event = aliased(AuditEvent)
    following = (
        select(event.name)
        .where(event.name > found.c.name)
        .order_by(event.name)
        .limit(1)
        .correlate(found)
        .scalar_subquery()
    )
    found = found.union_all(select(following).where(found.c.name.is_not(None)))
    return [name for name in db.session.scalars(select(found.c.name)) if name is not None]


def is_bad(name: str) -> bool:
    """Did what is called so go wrong?"""
    return name.rpartition(".")[2] in BAD


def went_wrong(event: AuditEvent) -> bool:
    """Did it? A test says by its outcome, whatever it is called."""
    return is_bad(event.name) or event.data.get("outcome", PASSED) != PASSED


def _is_wanted(name: str, wanted: Search) -> bool:
    event = (wanted.event or "").rstrip(".")
    if event and name != event and not name.startswith(f"{event}."):
        return False
    return wanted.outcome is None or is_bad(name) == (wanted.outcome == "refused")


def _of_each(names: Iterable[str], wanted: Search) -> Sequence[AuditEvent]:
    each = [
        select(
            _narrowed(select(AuditEvent.id), wanted)
            .where(AuditEvent.name == name)
            .order_by(AuditEvent.id.desc())
            .limit(wanted.at_most)
            .subquery()
            .c.id
        )
        for name in names
    ]
    ids = union_all(*each).subquery()
    newest = select(ids.c.id).order_by(ids.c.id.desc()).limit(wanted.at_most)
    found = list(db.session.scalars(newest))
    events = select(AuditEvent).where(AuditEvent.id.in_(found)).order_by(AuditEvent.id.desc())
    return db.session.scalars(events).all()


def _narrowed(statement: Select[Any], wanted: Search) -> Select[Any]:
    for column, value in (
        (AuditEvent.user_id, wanted.user_id),
        (AuditEvent.client_id, wanted.client_id),
        (AuditEvent.reference, wanted.reference),
        (AuditEvent.transaction_id, wanted.transaction_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.since is not None:
        first = _outermost(AuditEvent.at >= wanted.since - _SLACK, AuditEvent.at, least=True)
        statement = statement.where(AuditEvent.at >= wanted.since)
        statement = statement.where(AuditEvent.id >= (first or _NEVER))
    if wanted.until is not None:
        last = _outermost(AuditEvent.at < wanted.until + _SLACK, AuditEvent.at.desc(), least=False)
        statement = statement.where(AuditEvent.at < wanted.until, AuditEvent.id <= (last or 0))
    return statement if wanted.before is None else statement.where(AuditEvent.id < wanted.before)


def _outermost(condition: Any, order: Any, *, least: bool) -> int | None:
    """Where, by id, to begin or to stop reading.

    Events are numbered as they are committed, which is about when they happen: what happened an
    hour off, and a hundred events of that, are on the safe side.
    """
    near = select(AuditEvent.id).where(condition).order_by(order).limit(_SAMPLE)
    ids = list(db.session.scalars(near))
    return (min if least else max)(ids, default=None)
