"""A person's standard claims, as the account keeps them."""

from collections.abc import Collection, Mapping
from typing import Final, cast

from sqlalchemy import Table, bindparam, select

from idp.clock import epoch
from idp.models import Group, User, membership
from idp.models.plain import Plain, PlainRow
from idp.protocol.claim_mapping import as_told, released_by
from idp.protocol.client_metadata import ClientMetadata

_users: Final = cast("Table", User.__table__)
_groups: Final = cast("Table", Group.__table__)

FIELDS: Final = (
    *(_users.c.email, _users.c.email_verified, _users.c.username, _users.c.name),
    *(_users.c.profile, _users.c.updated_at),
)
"""The columns that ``told_by`` reads."""

_PROFILE = Plain(select(*FIELDS).where(_users.c.id == bindparam("user")))

_GROUPS = Plain(
    select(_groups.c.name)
    .join(membership, membership.c.group_id == _groups.c.id)
    .where(membership.c.user_id == bindparam("user"))
    .order_by(_groups.c.name)
)


def profile_of(user_id: str, *, groups: bool) -> Mapping[str, object]:
    """The person's claims by their names in OIDC Core 5.1; empty for nobody.

    With ``groups``, also the names of her groups, for one statement more.
    """
    row = _PROFILE.one({"user": user_id})
    if row is None:
        return {}
    return {**told_by(row), **(groups_of(user_id) if groups else {})}


def told_by(row: PlainRow) -> dict[str, object]:
    """The claims, but for groups, of the person in a row that has ``FIELDS``."""
    return {
        **row.profile,
        "email": row.email,
        "email_verified": row.email_verified,
        "name": row.name,
        "preferred_username": row.username or row.profile.get("preferred_username"),
        "updated_at": epoch(row.updated_at),
    }


def groups_of(user_id: str) -> dict[str, object]:
    """The claim of that name: those that the person is in, by name."""
    return {"groups": [row.name for row in _GROUPS.all({"user": user_id})]}


def names_of_groups(user_id: str) -> frozenset[str]:
    """Those that the person is in."""
    return frozenset(row.name for row in _GROUPS.all({"user": user_id}))


def for_client(
    profile: Mapping[str, object],
    client: ClientMetadata,
    *,
    scopes: Collection[str],
    requested: Collection[str] = (),
) -> Mapping[str, object]:
    """The same as this client is told it: its ``claim_mapping`` and ``told_groups`` applied.

    ``scopes`` are all that were granted, ``requested`` the claims asked for by name.
    """
    if not client.claim_mapping and not client.told_groups:
        return profile
    return as_told(
        profile,
        mapping=client.claim_mapping or {},
        groups=client.told_groups,
        released=released_by(scopes, requested),
    )
