"""Groups of people, made when the first person is put into them."""

import unicodedata
from collections.abc import Iterable, Sequence

from sqlalchemy import exists, select
from sqlalchemy.dialects import postgresql, sqlite

from idp.models import Group, db, membership, new_id
from idp.protocol.text import is_displayable

LONGEST = 255
NOT_A_GROUP = f"A group’s name is a line of text of at most {LONGEST} characters."


def normalise_group(name: str) -> str:
    """The one form of a group's name: NFC, trimmed. Raises ``ValueError`` with a sentence."""
    normal = unicodedata.normalize("NFC", name.strip())
    if not is_displayable(normal) or len(normal) > LONGEST:
        raise ValueError(NOT_A_GROUP)
    return normal


def named(names: Iterable[str]) -> list[Group]:
    """The groups of these names, those made that were missing, in the caller's transaction."""
    wanted = sorted({normalise_group(name) for name in names})
    if not wanted:
        return []
    connection = db.session.connection()
    connection.execute(
        _INSERTS[connection.dialect.name], [{"id": new_id(), "name": name} for name in wanted]
    )
    found = db.session.scalars(select(Group).where(Group.name.in_(wanted)).order_by(Group.name))
    return list(found)


def is_anybody_in(names: Sequence[str]) -> bool:
    """Has one of the groups of these names a member?"""
    belongs = membership.c.group_id == Group.id
    return bool(db.session.scalar(select(exists().where(belongs, Group.name.in_(names)))))


_INSERTS = {
    "postgresql": postgresql.insert(Group).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(Group).on_conflict_do_nothing(),
}
