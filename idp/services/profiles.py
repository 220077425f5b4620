"""A person's standard claims, as the account keeps them."""

from collections.abc import Mapping
from typing import Final, cast

from sqlalchemy import Table, bindparam, select

from idp.clock import epoch
from idp.models import Group, User, db, membership

_users: Final = cast("Table", User.__table__)
_groups: Final = cast("Table", Group.__table__)

_PROFILE = select(
    _users.c.email,
    _users.c.email_verified,
    _users.c.username,
    _users.c.name,
    _users.c.profile,
    _users.c.updated_at,
).where(_users.c.id == bindparam("user"))

_GROUPS = (
    select(_groups.c.name)
    .join(membership, membership.c.group_id == _groups.c.id)
    .where(membership.c.user_id == bindparam("user"))
    .order_by(_groups.c.name)
)


def profile_of(user_id: str, *, groups: bool) -> Mapping[str, object]:
    """The person's claims by their names in OIDC Core 5.1; empty for nobody.

    With ``groups``, also the names of her groups, for one statement more.
    """
    row = db.session.execute(_PROFILE, {"user": user_id}).one_or_none()
    if row is None:
        return {}
    profile = {
        **row.profile,
        "email": row.email,
        "email_verified": row.email_verified,
        "name": row.name,
        "preferred_username": row.username or row.profile.get("preferred_username"),
        "updated_at": epoch(row.updated_at),
    }
    if groups:
        profile["groups"] = list(db.session.execute(_GROUPS, {"user": user_id}).scalars())
    return profile
