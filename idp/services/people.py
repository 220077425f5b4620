"""People as an administrator lists them: by address, by how words begin, by state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ARRAY, ColumnElement, String, any_, exists, false, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from idp.models import Credential, Group, User, db, membership
from idp.models.base import dialect
from idp.services.people_search import Spot, find

PAGE: Final = 50
FEW: Final = 5000
"""Members of a group, where there may be a million people."""


class State(StrEnum):
    """What an account is up to. One that nobody has ever used is invited."""

    ACTIVE = "active"
    INVITED = "invited"
    DISABLED = "disabled"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom to list; what is None is no matter.

    ``beginning`` is how an address, a user name, a name or words of these begin, and
    ``containing`` a part of one of them, for which all are read. The page before ended with
    ``after``, an address, or, where a beginning is looked for, at a ``spot``.
    """

    beginning: str = ""
    containing: str = ""
    state: State | None = None
    with_role: bool = False
    group: str | None = None
    after: str = ""
    spot: Spot | None = None
    at_most: int = PAGE


@dataclass(frozen=True, slots=True)
class Listed:
    """One person; ``methods`` are the kinds of her credentials."""

    user: User
    state: State
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class People:
    """A page of people, and whether there is another; of a search, with the ``spot`` for that.

    They are by address; of a search, as ``people_search`` finds them.
    """

    listed: Sequence[Listed]
    more: bool
    after: Spot | None = None


def people_of(wanted: Wanted) -> People:
    """The page. What it costs does not depend on how many people there are, but for a part."""
    if wanted.beginning:
        found = find(
            wanted.beginning, _conditions(wanted), after=wanted.spot, at_most=wanted.at_most
        )
        return People(_listed(_of_ids(found.ids)), more=found.after is not None, after=found.after)
    users = _by_address(wanted)
    return People(_listed(users[: wanted.at_most]), more=len(users) > wanted.at_most)


def _listed(users: Sequence[User]) -> list[Listed]:
    methods = _methods([user.id for user in users])
    return [
        Listed(user, state_of(user, methods.get(user.id, ())), methods.get(user.id, ()))
        for user in users
    ]


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


def _by_address(wanted: Wanted) -> list[User]:
    """One more than asked for, where there are more."""
    statement = (
        _WITH_GROUPS.where(User.email > wanted.after, *_conditions(wanted))
        .order_by(User.email)
        .limit(wanted.at_most + 1)
    )
    return list(db.session.scalars(statement))


def _of_ids(ids: Sequence[str]) -> list[User]:
    """In this order; without whoever has just been deleted."""
    found = {user.id: user for user in db.session.scalars(_WITH_GROUPS.where(_among(User.id, ids)))}
    return [found[one] for one in ids if one in found]


_WITH_GROUPS: Final = select(User).options(selectinload(User.groups))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = list(_STATES[wanted.state]) if wanted.state is not None else []
    if wanted.with_role:
        conditions.append(User.role.is_not(None))
    if wanted.group is not None:
        conditions.append(_is_in(wanted.group))
    if wanted.containing:
        conditions.append(_contains(wanted.containing))
    return conditions


def _contains(part: str) -> ColumnElement[bool]:
    places = (User.email, User.username, User.name)
    return or_(*(column.icontains(part, autoescape=True) for column in places))


def _is_in(group: str) -> ColumnElement[bool]:
    """Few are looked up by their ids. Of a group of many, some are on every stretch of the list."""
    named = db.session.execute(_COUNTED.where(Group.name == group)).first()
    if named is None:
        return false()
    of_group = select(membership.c.user_id).where(membership.c.group_id == named.id)
    if named.members > FEW:
        return exists(of_group.where(membership.c.user_id == User.id).correlate(User))
    return _among(User.id, db.session.scalars(of_group).all())


_SOME: Final = (
    select(membership.c.group_id)  # nobody's id: asked who they are, all may be looked up at once
    .where(membership.c.group_id == Group.id)
    .limit(FEW + 1)
    .correlate(Group)
    .subquery()
)
_COUNTED: Final = select(
    Group.id, select(func.count()).select_from(_SOME).scalar_subquery().label("members")
)
"""In the index alone, as far as that goes."""


_HAS_CREDENTIALS: Final = exists().where(Credential.user_id == User.id)
_OPEN: Final = (User.disabled_at.is_(None), User.deletion_due_at.is_(None))
_STATES: Final[Mapping[State, tuple[ColumnElement[bool], ...]]] = {
    State.ACTIVE: (*_OPEN, or_(User.email_verified, _HAS_CREDENTIALS)),
    State.INVITED: (*_OPEN, User.email_verified.is_(False), ~_HAS_CREDENTIALS),
    State.DISABLED: (User.disabled_at.is_not(None),),
    State.LEAVING: (User.disabled_at.is_(None), User.deletion_due_at.is_not(None)),
}


def _methods(user_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    rows = db.session.execute(
        select(Credential.user_id, Credential.kind)
        .where(_among(Credential.user_id, user_ids), Credential.used_at.is_(None))
        .distinct()
    )
    found: dict[str, tuple[str, ...]] = {}
    for user_id, kind in sorted(map(tuple, rows)):
        found[user_id] = (*found.get(user_id, ()), kind)
    return found


def _among(column: InstrumentedAttribute[str], ids: Sequence[str]) -> ColumnElement[bool]:
    """As one value where there is one for a list: a hundred take long to write and to read."""
    if dialect() == "postgresql":
        return column == any_(literal(list(ids), ARRAY(String)))
    return column.in_(ids)
