"""Taking people over from another program: looked at first, then all of them or nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from idp import audit
from idp.audit import Context
from idp.models import User, db
from idp.passwords.foreign import check_hash
from idp.services.account_fields import Fields
from idp.services.accounts import TAKEN, new_user, taken
from idp.services.invalid import Invalid
from idp.services.people_files import Record
from idp.services.people_storing import Ready, store

_ASKED_AT_ONCE: Final = 500
TWICE: Final = "is in the file twice"
NO_ROLES: Final = "is not taken from a file: `idp users role` gives one, by name"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one record. ``place`` counts records from 1."""

    place: int
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would make, and what is in its way."""

    ready: Sequence[Ready]
    problems: Sequence[Problem]


def plan(records: Sequence[Record], context: Context) -> Plan:
    """Look at every record; nothing is written."""
    ready: list[tuple[int, Ready]] = []
    problems: list[Problem] = []
    for record in records:
        try:
            ready.append((record.place, _ready(record, context)))
        except Invalid as error:
            problems += _problems(record.place, error.problems)
    problems += _clashes(ready)
    return Plan([one for _, one in ready], sorted(problems, key=lambda one: one.place))


def carry_out(planned: Plan, context: Context) -> int:
    """Make all of them in one transaction; returns how many. Raises ``Invalid``: then nobody."""
    if planned.problems:
        raise Invalid({"file": "Nobody was imported: there are problems to mend first."})
    try:
        store(planned.ready, context)
        audit.record("people.imported", context, count=len(planned.ready))
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        raise taken(error) from error
    return len(planned.ready)


def _ready(record: Record, context: Context) -> Ready:
    fields: dict[str, Any] = dict(record.fields)
    problems = {"role": NO_ROLES} if fields.pop("role", None) else {}
    if record.hashed is not None:
        try:
            check_hash(record.hashed)
        except ValueError as error:
            problems["password_hash"] = str(error)
    try:
        user, groups = new_user(cast("Fields", fields), context)
    except Invalid as error:
        raise Invalid(error.problems | problems) from error
    if problems:
        raise Invalid(problems)
    return Ready(user, groups, record.hashed, record.disabled)


def _clashes(ready: Sequence[tuple[int, Ready]]) -> Iterator[Problem]:
    """Names that two have, in the file or with somebody who is here."""
    for field in ("email", "username"):
        taken = _taken(field, [getattr(one.user, field) for _, one in ready])
        seen: set[str] = set()
        for place, one in ready:
            value = getattr(one.user, field)
            if value is None:
                continue
            if value in taken or value in seen:
                yield Problem(place, field, TAKEN[field] if value in taken else TWICE)
            seen.add(value)


def _taken(field: str, values: Sequence[str | None]) -> set[str]:
    column, wanted = getattr(User, field), [value for value in values if value]
    found: set[str] = set()
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        part = wanted[start : start + _ASKED_AT_ONCE]
        found.update(db.session.scalars(select(column).where(column.in_(part))))
    return found


def _problems(place: int, problems: Mapping[str, str]) -> Iterator[Problem]:
    return (Problem(place, field, sentence) for field, sentence in problems.items())
