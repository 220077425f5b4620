"""Groups as an administrator keeps them: listed with how many are in each, renamed, deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import case, func, select, update
from sqlalchemy.exc import IntegrityError

from idp import audit
from idp.audit import Context
from idp.models import Group, User, db, membership, new_id
from idp.services.group_clients import follow, kept_by_files, naming
from idp.services.groups import normalise_group
from idp.services.invalid import Invalid
from idp.services.versions import Stale

PAGE: Final = 50
CHOICE: Final = 50
"""From more than these nobody chooses: they are typed."""
COUNTED: Final = 100
"""Members beyond this are not counted: a list of groups has to open, however big they are. Nor are
those of a group that is known to be large."""

UNNAMED: Final = "Enter a name."
TAKEN: Final = "There is a group of this name already."
IN_FILES: Final = "Files keep applications that name this group: {clients}. Change the files first."
NAMED: Final = "Applications name this group: {clients}. Take it out there first."


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """One group. ``members`` is at most ``COUNTED`` and one."""

    id: str
    name: str
    members: int


@dataclass(frozen=True, slots=True)
class Groups:
    """A page of groups by name, and whether there are more."""

    listed: Sequence[GroupInfo]
    more: bool


def names_to_choose() -> list[str]:
    """Every group's, by name; none where there are more than ``CHOICE``."""
    names = db.session.scalars(select(Group.name).order_by(Group.name).limit(CHOICE + 1)).all()
    return list(names) if len(names) <= CHOICE else []


def groups_of(*, after: str = "", at_most: int = PAGE) -> Groups:
    """The page after the name ``after``."""
    some = (
        select(membership.c.user_id)  # which stands in the index: no row is looked up
        .where(membership.c.group_id == Group.id)
        # Nothing but the index has them in this order: of a group of few, PostgreSQL would else
        # look for a hundred among the members of all.
        .order_by(membership.c.user_id)
        .limit(COUNTED + 1)
        .correlate(Group)
        .subquery()
    )
    counted = select(func.count()).select_from(some).scalar_subquery()
    members = case((Group.large, COUNTED + 1), else_=counted)
    rows = db.session.execute(
        select(Group.id, Group.name, members.label("members"))
        .where(Group.name > after)
        .order_by(Group.name)
        .limit(at_most + 1)
    ).all()
    listed = [GroupInfo(row.id, row.name, row.members) for row in rows[:at_most]]
    return Groups(listed, more=len(rows) > at_most)


def find(group_id: str) -> Group | None:
    """By id."""
    return db.session.get(Group, group_id)


def clients_for(name: str) -> list[str]:
    """The applications that let this group in, by name."""
    return [one.name for one in naming(name) if "allowed_groups" in one.members]


def create(name: str, context: Context) -> Group:
    """An empty group. Raises ``Invalid``. Commits."""
    group = Group(id=new_id(), name=_name(name))
    _store(group)
    audit.record("group.created", context, group=group.name)
    db.session.commit()
    return group


def rename(group: Group, name: str, context: Context, *, expected: str | None = None) -> None:
    """Call it otherwise. Raises ``Invalid``, and ``Stale`` when it is not called ``expected``.

    Applications that name it do so by the new name from then on. Not while one does that a file
    keeps: the file would bring the old name back. Commits.
    """
    before, after = group.name, _name(name)
    if expected is not None and expected != before:
        raise Stale
    if after == before:
        return
    _call(group, before, after)
    clients = naming(before, locked=True)
    if by_file := kept_by_files(clients):
        db.session.rollback()
        raise Invalid({"name": IN_FILES.format(clients=", ".join(by_file))})
    follow(clients, before, after, context)
    named_by = [one.id for one in clients]
    audit.record("group.renamed", context, before=before, after=after, clients=named_by)
    db.session.commit()


def _call(group: Group, before: str, after: str) -> None:
    """By one statement, so that of two who rename it at once the second is told."""
    renamed = (
        update(Group).where(Group.id == group.id, Group.name == before).values(name=after)
    ).returning(Group.id)
    try:
        done = db.session.scalar(renamed.execution_options(synchronize_session=False))
    except IntegrityError as error:
        db.session.rollback()
        raise Invalid({"name": TAKEN}) from error
    if done is None:
        db.session.rollback()
        raise Stale
    db.session.refresh(group)


def remove(group: Group, context: Context) -> None:
    """Delete it; its members stay. Raises ``Invalid`` while an application names it. Commits.

    Taking the name out instead could let everybody in, where it was the last one.
    """
    if clients := naming(group.name):
        named = ", ".join(one.name for one in clients)
        raise Invalid({"name": NAMED.format(clients=named)})
    audit.record("group.deleted", context, group=group.name)
    db.session.delete(group)
    db.session.commit()


def _name(text: str) -> str:
    if not text.strip():
        raise Invalid({"name": UNNAMED})
    try:
        return normalise_group(text)
    except ValueError as error:
        raise Invalid({"name": str(error)}) from error


def _store(group: Group) -> None:
    try:
        db.session.add(group)
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Invalid({"name": TAKEN}) from error


def find_named(name: str) -> Group | None:
    """By name."""
    return db.session.scalar(select(Group).where(Group.name == name))


def members_of(group: Group, *, after: str = "", at_most: int = PAGE) -> Sequence[User]:
    """Who is in it, by address; ``after`` is the last one's of the page before."""
    return db.session.scalars(
        select(User)
        .join(membership, membership.c.user_id == User.id)
        .where(membership.c.group_id == group.id, User.email > after)
        .order_by(User.email)
        .limit(at_most)
    ).all()
