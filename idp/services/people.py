"""People as an administrator lists them: by address, by how a name begins, by state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import selectinload

from idp.models import Credential, Group, User, db, membership
from idp.services.addresses import normalise_email

PAGE: Final = 50
FEW: Final = 5000
"""Members of a group, where there may be a million people."""
_LAST: Final = "\U0010ffff"


class State(StrEnum):
    """What an account is up to. One that nobody has ever used is invited."""

    ACTIVE = "active"
    INVITED = "invited"
    DISABLED = "disabled"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom to list; what is None is no matter.

    ``beginning`` is how an address, a user name or a name begins; ``after`` is the address of the
    last one of the page before.
    """

    beginning: str = ""
    state: State | None = None
    with_role: bool = False
    group: str | None = None
    after: str = ""
    at_most: int = PAGE


@dataclass(frozen=True, slots=True)
class Listed:
    """One person; ``methods`` are the kinds of her credentials."""

    user: User
    state: State
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class People:
    """A page of people by address, and whether there are more than it holds."""

    listed: Sequence[Listed]
    more: bool


def people_of(wanted: Wanted) -> People:
    """The page. What it costs does not depend on how many people there are."""
    found = _found(wanted)
    users = found[: wanted.at_most]
    methods = _methods([user.id for user in users])
    listed = [
        Listed(user, state_of(user, methods.get(user.id, ())), methods.get(user.id, ()))
        for user in users
    ]
    return People(listed, more=len(found) > wanted.at_most)


def state_of(user: User, methods: Iterable[str]) -> State:
    """In one word; ``methods`` are the kinds of the person's credentials."""
    if user.disabled_at is not None:
        return State.DISABLED
    if user.deletion_due_at is not None:
        return State.LEAVING
    return State.ACTIVE if user.email_verified or any(methods) else State.INVITED


def methods_of(user_id: str) -> tuple[str, ...]:
    """The kinds of a person's credentials."""
    return _methods([user_id]).get(user_id, ())


def _found(wanted: Wanted) -> list[User]:
    """One more than asked for, where there are more.

    Each way a name may begin is a statement of its own, which its own index answers; together
    they would have to be sorted, however many there are.
    """
    statement = _narrowed(wanted)
    if not wanted.beginning:
        return list(db.session.scalars(statement.order_by(User.email)))
    found: dict[str, User] = {}
    for condition, order in _beginnings(wanted.beginning):
        rows = db.session.scalars(statement.where(condition).order_by(order))
        found |= {user.id: user for user in rows}
    return sorted(found.values(), key=lambda user: user.email)[: wanted.at_most + 1]


def _narrowed(wanted: Wanted) -> Select[User]:
    statement = (
        select(User)
        .options(selectinload(User.groups))
        .where(User.email > wanted.after)
        .limit(wanted.at_most + 1)
    )
    if wanted.state is not None:
        statement = statement.where(*_STATES[wanted.state])
    if wanted.with_role:
        statement = statement.where(User.role.is_not(None))
    if wanted.group is not None:
        statement = statement.where(_is_in(wanted.group))
    return statement


def _is_in(group: str) -> ColumnElement[bool]:
    """Few are looked up by their ids. Of a group of many, some are on every stretch of the list."""
    named = db.session.scalar(select(Group.id).where(Group.name == group))
    of_group = select(membership.c.user_id).where(membership.c.group_id == named)
    if _has_many(named):
        return exists(of_group.where(membership.c.user_id == User.id).correlate(User))
    return User.id.in_(db.session.scalars(of_group).all())


def _has_many(group_id: str | None) -> bool:
    """Counted in the index alone, as far as that goes.

    Asked who they are, PostgreSQL may look up every one of them before it heeds the limit.
    """
    some = select(membership.c.group_id).where(membership.c.group_id == group_id).limit(FEW + 1)
    return (db.session.scalar(select(func.count()).select_from(some.subquery())) or 0) > FEW


_HAS_CREDENTIALS: Final = exists().where(Credential.user_id == User.id)
_OPEN: Final = (User.disabled_at.is_(None), User.deletion_due_at.is_(None))
_STATES: Final[Mapping[State, tuple[ColumnElement[bool], ...]]] = {
    State.ACTIVE: (*_OPEN, or_(User.email_verified, _HAS_CREDENTIALS)),
    State.INVITED: (*_OPEN, User.email_verified.is_(False), ~_HAS_CREDENTIALS),
    State.DISABLED: (User.disabled_at.is_not(None),),
    State.LEAVING: (User.disabled_at.is_(None), User.deletion_due_at.is_not(None)),
}


def _beginnings(text: str) -> Iterable[tuple[ColumnElement[bool], Any]]:
    small = _address(text)
    yield _begins(User.email, small), User.email
    yield _begins(User.username, text.lower()), User.username
    for spelling in dict.fromkeys((text, text.capitalize(), text.title())):
        yield _begins(User.name, spelling), User.name


def _begins(column: Any, text: str) -> ColumnElement[bool]:
    # Not LIKE: SQLite and PostgreSQL use an index for that under different circumstances.
    return and_(column >= text, column < f"{text}{_LAST}")


def _address(text: str) -> str:
    """As addresses are stored, where a whole one was typed."""
    try:
        return normalise_email(text)
    except ValueError:
        return text.lower()


def _methods(user_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    rows = db.session.execute(
        select(Credential.user_id, Credential.kind)
        .where(Credential.user_id.in_(user_ids), Credential.used_at.is_(None))
        .distinct()
    )
    found: dict[str, tuple[str, ...]] = {}
    for user_id, kind in sorted(map(tuple, rows)):
        found[user_id] = (*found.get(user_id, ()), kind)
    return found
