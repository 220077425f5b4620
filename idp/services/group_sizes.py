"""Which groups are large, found out now and then: who lists groups does not count these."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select, update

from idp.models import Group, db, membership, reading

LARGE: Final = 1000
"""Members. Ten times what a list counts, so that hardly any group is below that before the next
look at it."""
AT_ONCE: Final = 200


def mark() -> int:
    """Mark those that are large, and no others; returns how many it was changed of.

    Commits, so many at a time.
    """
    changed, last = 0, ""
    while some := _behind(last):
        other = [row for row in some if row.large != row.is_large]
        for row in other:
            statement = update(Group).where(Group.id == row.id).values(large=row.is_large)
            db.session.execute(statement.execution_options(synchronize_session=False))
        db.session.commit()
        changed, last = changed + len(other), some[-1].id
    return changed


def _behind(last: str) -> Sequence[Any]:
    with reading():
        return db.session.execute(_SIZES.where(Group.id > last)).all()


_THOUSANDTH: Final = (
    select(membership.c.user_id)
    .where(membership.c.group_id == Group.id)
    .order_by(membership.c.user_id)
    .offset(LARGE - 1)
    .limit(1)
    .correlate(Group)
    .scalar_subquery()
)
_SIZES: Final = (
    select(Group.id, Group.large, _THOUSANDTH.is_not(None).label("is_large"))
    .order_by(Group.id)
    .limit(AT_ONCE)
)
