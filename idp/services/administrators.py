"""Who administers: one of them is always left, and nobody changes the role of their own."""

from typing import Final

from sqlalchemy import select

from idp import audit
from idp.audit import Context
from idp.models import User, db
from idp.services.invalid import Invalid
from idp.services.roles import ADMINISTRATOR

LAST: Final = (
    "This is the last administrator, and somebody has to be one. Make another person an"
    " administrator first."
)
OWN: Final = "Nobody changes their own role. Ask another administrator."

_HELD = (
    select(User.id)
    .where(
        User.role == ADMINISTRATOR,
        User.disabled_at.is_(None),
        User.deletion_due_at.is_(None),
    )
    .order_by(User.id)
    .with_for_update(key_share=True)
)
"""Locked in one order, so that two who dismiss each other wait, and the second sees what the first
did: PostgreSQL looks at a row again once it has it. On SQLite whoever writes is alone already."""


def is_last(user_id: str) -> bool:
    """Is there nobody else who could administer? Holds until the caller's transaction ends."""
    return list(db.session.scalars(_HELD)) == [user_id]


def insist_on_another(user: User, context: Context, *, field: str | None = None) -> None:
    """Raises ``Invalid`` for the last administrator: she is not removed, demoted or disabled.

    The refusal is on record, and committed.
    """
    if is_last(user.id):
        raise _refused(user, context, field=field or "role", reason="last_administrator", told=LAST)


def may_become(user: User, role: str | None, context: Context) -> None:
    """Raises ``Invalid`` when the person may not get this role from whoever acts."""
    if role == user.role:
        return
    if context.actor_id == user.id:
        raise _refused(user, context, field="role", reason="own_role", told=OWN)
    if role != ADMINISTRATOR:
        insist_on_another(user, context)


def _refused(user: User, context: Context, *, field: str, reason: str, told: str) -> Invalid:
    db.session.rollback()
    audit.record("user.change.refused", context, user_id=user.id, field=field, reason=reason)
    db.session.commit()
    return Invalid({field: told})
