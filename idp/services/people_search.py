"""People by how an address, a user name, a name or any word of these begins, page after page.

There are several ways to fit, and each has an index of its own, which is read from where the page
before ended. First come those whose address fits, by address; then those whose user name does,
by user name; then by name; then those who have all the words, in whatever order, by the rarest of
these. Whoever was found one way is not told again by another. How many rows a page may look at is
bounded, so that a page may be short, or empty, and still not the last.

Of those who have the rarest word only who has the others as well leaves the database: there may be
few among many.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from idp.models import PersonWord, User, db
from idp.services.addresses import normalise_email
from idp.services.person_words import words_of
from idp.services.search_words import words_in

LOOKED_AT: Final = 2000
"""Rows that one page may cost, of people who are on earlier pages or lack one of the words."""
MANY: Final = 500
FEW: Final = 200
"""People up to whom it is counted how many have a word."""
_LAST: Final = "\U0010ffff"
_READ: Final = (User.id, User.email, User.username, User.name)


@dataclass(frozen=True, slots=True)
class Spot:
    """Behind whom a page begins: the number of the way, and that person's key in its order."""

    way: int
    key: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """The next rows of an index: of the people in it who fit, and where it ends.

    ``end`` is None where nothing comes after. ``passed`` were looked at and are not among the rows.
    """

    rows: Sequence[Any]
    end: Spot | None
    passed: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a search has come, by looking at so many rows; is there somebody new?"""

    spot: Spot
    is_new: bool
    looked: int = 1


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

    def tells_by(self, _row: Any) -> bool:
        """Is somebody told of by this row?"""
        return True

    def condition(self) -> ColumnElement[bool]:
        """The stretch of the index."""
        # Not LIKE: SQLite and PostgreSQL use an index for that under different circumstances.
        return and_(self.column >= self.text, self.column < f"{self.text}{_LAST}")

    @property
    def order(self) -> tuple[InstrumentedAttribute[Any], ...]:
        """That of the index, in which each place is one row's."""
        return (self.column, User.id) if self.column is User.name else (self.column,)

    def behind(self, after: Spot | None) -> Select[Any]:
        """The rest of the index from there, each row with its ``key`` and whose it is."""
        order = self.order
        rest = select(self.column.label("key"), *_READ).where(self.condition()).order_by(*order)
        if after is None:
            return rest
        return rest.where(tuple_(*order) > (after.key, after.user_id)[: len(order)])

    def read(
        self, conditions: Sequence[ColumnElement[bool]], after: Spot | None, at_most: int
    ) -> Stretch:
        """The next people, at most so many."""
        some = self.behind(after).where(*conditions).limit(at_most)
        return _full(db.session.execute(some).all(), at_most)


@dataclass(frozen=True, slots=True)
class WordWay(Way):
    """By the words of a person that begin with one of those that were typed, ``wanted``."""

    wanted: tuple[str, ...]

    def key_of(self, person: Any) -> str:
        """The first of these."""
        return min((word for word in words_of(person) if word.startswith(self.text)), default="")

    def fits(self, person: Any) -> bool:
        """Does each of ``wanted`` begin one of the person's?"""
        words = words_of(person)
        return all(any(word.startswith(one) for word in words) for one in self.wanted)

    def tells_by(self, row: Any) -> bool:
        """By the first of the words that fit, and once; what she is not called any more is none."""
        return bool(row.key == self.key_of(row)) and self.fits(row)

    @property
    def order(self) -> tuple[InstrumentedAttribute[Any], ...]:
        """That of the words."""
        return (PersonWord.word, PersonWord.user_id)

    def read(
        self, conditions: Sequence[ColumnElement[bool]], after: Spot | None, at_most: int
    ) -> Stretch:
        """The next of those who have the word and the others; they may be few among many."""
        others = [Way(self.column, one) for one in self.wanted if not self.text.startswith(one)]
        looked = MANY if others else at_most
        some = self._who(conditions, after).limit(looked)
        rows = db.session.execute(_fitting(some, others).limit(at_most)).all()
        if not others or len(rows) == at_most:
            return _full(rows, at_most)
        last = db.session.execute(some.offset(looked - 1).limit(1)).first()
        end = Spot(0, last.key, last.id) if last is not None else None
        return Stretch(rows, end, passed=looked - len(rows))

    def _who(self, conditions: Sequence[ColumnElement[bool]], after: Spot | None) -> Select[Any]:
        """Nothing but who has the word, which stands in the index."""
        who: tuple[Any, ...] = (PersonWord.word.label("key"), PersonWord.user_id.label("id"))
        some: Select[Any] = self.behind(after).with_only_columns(*who)
        if not conditions:
            return some
        return some.join(User, User.id == PersonWord.user_id).where(*conditions)

    def how_common(self) -> tuple[int, int]:
        """More is more common. Among those that many have, the longer is taken for the rarer."""
        some = select(PersonWord.word).where(self.condition()).order_by(PersonWord.word)
        counted = select(func.count()).select_from(some.limit(FEW + 1).subquery())
        return db.session.scalar(counted) or 0, -len(self.text)


def ways_of(beginning: str) -> tuple[Way, ...]:
    """Every way to fit as a whole; a name also where its words begin with capitals."""
    spellings = dict.fromkeys((beginning, beginning.capitalize(), beginning.title()))
    names = (Way(User.name, one) for one in spellings)
    return (Way(User.email, _address(beginning)), Way(User.username, beginning.lower()), *names)


def word_ways_of(beginning: str) -> tuple[WordWay, ...]:
    """The ways to fit by words, of which any one finds the same people.

    None for an address, or a part of one: who has all of its words is hardly meant.
    """
    wanted = () if "@" in beginning else words_in(beginning)
    return tuple(WordWay(PersonWord.word, word, wanted) for word in wanted)


def _word_way(beginning: str, at: int | None) -> Iterator[tuple[int, WordWay]]:
    """The one that was begun with, number ``at``, or else the one with the fewest to look at."""
    ways = word_ways_of(beginning)
    if at is None and ways:
        at = min(range(len(ways)), key=lambda number: ways[number].how_common())
    if at is not None and at < len(ways):
        yield at, ways[at]


def find(
    beginning: str,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: Spot | None,
    at_most: int,
) -> Found:
    """The page behind ``after``, of those to whom the ``conditions`` apply as well."""
    ids: list[str] = []
    last, looked = after, 0
    for seen in _every(beginning, conditions, after, at_most + 1):
        if (seen.is_new and len(ids) == at_most) or looked >= LOOKED_AT + at_most:
            return Found(ids, last)
        if seen.is_new:
            ids.append(seen.spot.user_id)
        last, looked = seen.spot, looked + seen.looked
    return Found(ids, None)


def spot_of(user: User, beginning: str) -> Spot | None:
    """Where this person stands among those who are found; None where she is not."""
    for number, way in _all_ways(beginning, None):
        if way.fits(user):
            return Spot(number, way.key_of(user), user.id)
    return None


def _all_ways(beginning: str, after: Spot | None) -> Iterator[tuple[int, Way]]:
    """With their numbers; by words last, in the one way that the pages before went, if any did."""
    ways = ways_of(beginning)
    at = after.way - len(ways) if after is not None and after.way >= len(ways) else None
    last = ((len(ways) + number, way) for number, way in _word_way(beginning, at))
    return chain(enumerate(ways), last)


def _every(
    beginning: str, conditions: Sequence[ColumnElement[bool]], after: Spot | None, at_once: int
) -> Iterator[Seen]:
    """All of them, way after way; new is who is not on an earlier page."""
    whole = ways_of(beginning)
    for number, way in _all_ways(beginning, after):
        if after is not None and number < after.way:
            continue
        spot = after if after is not None and number == after.way else None
        for stretch in _stretches(way, conditions, spot, at_once):
            for row in stretch.rows:
                is_told = any(earlier.fits(row) for earlier in whole[:number])
                is_new = not is_told and way.tells_by(row)
                yield Seen(Spot(number, row.key, row.id), is_new)
            if stretch.end is not None:
                yield Seen(replace(stretch.end, way=number), is_new=False, looked=stretch.passed)


def _stretches(
    way: Way, conditions: Sequence[ColumnElement[bool]], after: Spot | None, at_once: int
) -> Iterator[Stretch]:
    """A page's worth first; whoever needs more mostly reads past many."""
    stretch = way.read(conditions, after, at_once)
    yield stretch
    while stretch.end is not None:
        stretch = way.read(conditions, stretch.end, MANY)
        yield stretch


def _full(rows: Sequence[Any], at_most: int) -> Stretch:
    """What ended because there was no more, or because it was enough."""
    return Stretch(rows, Spot(0, rows[-1].key, rows[-1].id) if len(rows) == at_most else None)


def _fitting(some: Select[Any], ways: Sequence[Way]) -> Select[Any]:
    """Those of them who have words that fit all of the ways."""
    found = some.subquery("found")
    fitting = select(*_READ, found.c.key).join(found, found.c.id == User.id)
    if ways:
        fitting = fitting.where(_how_many(ways, found.c.id) == len(ways))
    return fitting.order_by(found.c.key, found.c.id)


def _how_many(ways: Sequence[Way], user_id: ColumnElement[str]) -> ColumnElement[int]:
    """By how many of the ways does one of somebody's words fit?

    Looked up for one person after the other: asked whether there is such a word, or for one of
    them, PostgreSQL may go through the words of everybody instead.
    """
    each = (func.max(case((way.condition(), 1), else_=0)) for way in ways)
    hers = select(sum(each, literal(0))).where(PersonWord.user_id == user_id)
    return hers.scalar_subquery()


def _address(text: str) -> str:
    """As addresses are stored, where a whole one was typed."""
    try:
        return normalise_email(text)
    except ValueError:
        return text.lower()
