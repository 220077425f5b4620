"""People by how an address, a user name or a name begins: page after page, whoever they are.

There are several ways to fit, and each has an index of its own, which is read from where the page
before ended. First come those whose address fits, by address; then those whose user name does,
by user name; then by name. Whoever was found one way is not told again by another. How many rows
a page may look at is bounded, so that a page may be short, or empty, and still not the last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from idp.models import User, db
from idp.services.addresses import normalise_email

LOOKED_AT: Final = 2000
"""Rows that one page may cost, of people who are on earlier pages."""
MANY: Final = 500
_LAST: Final = "\U0010ffff"
_READ: Final = (User.id, User.email, User.username, User.name)


@dataclass(frozen=True, slots=True)
class Spot:
    """Behind whom a page begins: the number of the way, and that person's key in its order."""

    way: int
    key: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of people, by id; ``after`` is where the next one begins, None on the last."""

    ids: Sequence[str]
    after: Spot | None


@dataclass(frozen=True, slots=True)
class Way:
    """A column, and how it has to begin."""

    column: InstrumentedAttribute[Any]
    text: str

    def key_of(self, person: Any) -> str:
        """What the column holds of somebody, a row or an account."""
        return getattr(person, self.column.key) or ""

    def fits(self, person: Any) -> bool:
        """Is somebody found this way?"""
        return self.key_of(person).startswith(self.text)

    def condition(self) -> ColumnElement[bool]:
        """The stretch of the index."""
        # Not LIKE: SQLite and PostgreSQL use an index for that under different circumstances.
        return and_(self.column >= self.text, self.column < f"{self.text}{_LAST}")


def ways_of(beginning: str) -> tuple[Way, ...]:
    """Every way to fit; a name also where its words begin with capitals."""
    spellings = dict.fromkeys((beginning, beginning.capitalize(), beginning.title()))
    names = (Way(User.name, one) for one in spellings)
    return (Way(User.email, _address(beginning)), Way(User.username, beginning.lower()), *names)


def find(
    beginning: str,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: Spot | None,
    at_most: int,
) -> Found:
    """The page behind ``after``, of those to whom the ``conditions`` apply as well."""
    ids: list[str] = []
    last = after
    for looked, (spot, is_new) in enumerate(_every(beginning, conditions, after, at_most + 1)):
        if (is_new and len(ids) == at_most) or looked == LOOKED_AT + at_most:
            return Found(ids, last)
        if is_new:
            ids.append(spot.user_id)
        last = spot
    return Found(ids, None)


def spot_of(user: User, beginning: str) -> Spot | None:
    """Where this person stands among those who are found; None where she is not."""
    for number, way in enumerate(ways_of(beginning)):
        if way.fits(user):
            return Spot(number, way.key_of(user), user.id)
    return None


def _every(
    beginning: str, conditions: Sequence[ColumnElement[bool]], after: Spot | None, at_once: int
) -> Iterator[tuple[Spot, bool]]:
    """All of them, way after way; and whether they are not on an earlier page."""
    ways = ways_of(beginning)
    for number, way in enumerate(ways):
        if after is not None and number < after.way:
            continue
        spot = after if after is not None and number == after.way else None
        for row in _fitting(way, conditions, spot, at_once):
            is_new = not any(earlier.fits(row) for earlier in ways[:number])
            yield Spot(number, way.key_of(row), row.id), is_new


def _fitting(
    way: Way, conditions: Sequence[ColumnElement[bool]], after: Spot | None, at_once: int
) -> Iterator[Any]:
    """A page's worth first; whoever needs more mostly reads past many."""
    spot, more = after, True
    while more:
        rows = _read(way, conditions, spot, at_once)
        yield from rows
        more, at_once = len(rows) == at_once, MANY
        if more:
            spot = Spot(0, way.key_of(rows[-1]), rows[-1].id)


def _read(
    way: Way, conditions: Sequence[ColumnElement[bool]], after: Spot | None, at_most: int
) -> Sequence[Any]:
    order = (way.column, User.id) if way.column is User.name else (way.column,)
    statement = select(*_READ).where(way.condition(), *conditions).order_by(*order)
    if after is not None:
        behind = (after.key, after.user_id)[: len(order)]
        statement = statement.where(tuple_(*order) > behind)
    return db.session.execute(statement.limit(at_most)).all()


def _address(text: str) -> str:
    """As addresses are stored, where a whole one was typed."""
    try:
        return normalise_email(text)
    except ValueError:
        return text.lower()
