"""People as values: read by one statement, and nothing that is done to them is stored.

For whoever only looks. Who changes an account reads it by ``Accounts``.
"""

from types import SimpleNamespace
from typing import Final, cast

from sqlalchemy import Table, bindparam, select

from idp.models import User
from idp.models.plain import Plain, PlainRow
from idp.services.addresses import normalise_login

_users: Final = cast("Table", User.__table__)
_BY_ID: Final = Plain(select(_users).where(_users.c.id == bindparam("id")))
# Two, and not one that has either: once SQLite knows (ANALYZE) that hardly anybody has a user name,
# it reads the whole table for "this address or this user name".
_BY_ADDRESS: Final = Plain(select(_users).where(_users.c.email == bindparam("known_as")))
_BY_USERNAME: Final = Plain(select(_users).where(_users.c.username == bindparam("known_as")))


def by_login(login_name: str) -> User | None:
    """Whose e-mail address or user name this is, however it was typed; also when disabled.

    A user name has no ``@``, and an address has one. What nobody can be called is looked up as
    well, so that it takes as long.
    """
    known_as = normalise_login(login_name) or ""
    row = (_BY_ADDRESS if "@" in known_as else _BY_USERNAME).one({"known_as": known_as})
    return None if row is None else _value(row)


class _Person(SimpleNamespace):
    """The columns of an account: the ORM's books on one cost as much as to find it."""

    display_name = User.display_name


def _value(row: PlainRow) -> User:
    return cast("User", _Person(**row._asdict()))


def by_id(user_id: str) -> User | None:
    """The person of that id; None when there is none."""
    row = _BY_ID.one({"id": user_id})
    return None if row is None else _value(row)


def the(user_id: str) -> User:
    """The same, who must be there. Raises ``LookupError``."""
    found = by_id(user_id)
    if found is None:
        raise LookupError("nobody has this id")
    return found
