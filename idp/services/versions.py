"""Changing what one has seen, and nothing that was changed since: the first of two, never both.

Each claim is one conditional statement at the beginning of the transaction that makes the change.
PostgreSQL lets the second of two wait for the first, and then looks at the row again.
"""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm.attributes import set_committed_value

from idp.models import Client, Group, User, db
from idp.services import administrators


class Stale(Exception):
    """Somebody has changed it since it was read. Nothing was done."""


def claim_client(client_id: str, revision: int) -> None:
    """Go on only if the registration is at this revision. Raises ``Stale``."""
    _claim(
        update(Client)
        .where(Client.id == client_id, Client.revision == revision)
        .values(revision=Client.revision + 1)
        .returning(Client.id)
    )


def claim_person(user: User) -> None:
    """Go on only if the account is as it was read. Raises ``Stale``."""
    if user.role is not None:
        # What follows may count the administrators: whoever does locks them first, in one order.
        administrators.is_last(user.id)
    version = _claim(
        update(User)
        .where(User.id == user.id, User.version == user.version)
        .values(version=User.version + 1)
        .returning(User.version)
    )
    set_committed_value(user, "version", version)


def claim_seen(user: User, version: int) -> None:
    """Go on only if the account is at the version that a form was made from. Raises ``Stale``."""
    if user.version != version:
        db.session.rollback()
        raise Stale
    claim_person(user)


def claim_group(group: Group) -> None:
    """Go on only if the group is called what it was called. Raises ``Stale``."""
    _claim(
        update(Group)
        .where(Group.id == group.id, Group.name == group.name)
        .values(name=group.name)
        .returning(Group.id)
    )


def _claim(statement: Any) -> Any:
    claimed = db.session.scalar(statement, execution_options={"synchronize_session": False})
    if claimed is None:
        db.session.rollback()
        raise Stale
    return claimed
