"""People as values: read by one statement, and nothing that is done to them is stored.

For whoever only looks. Who changes an account reads it by ``Accounts``.
"""

from types import SimpleNamespace
from typing import Final, cast

from sqlalchemy import ColumnElement, Table, bindparam, select

from idp.factors.rows import HELD
from idp.models import Credential, User
from idp.models.base import dialect
from idp.models.plain import Plain, PlainRow
from idp.services.addresses import normalise_login

_users: Final = cast("Table", User.__table__)
_credentials: Final = cast("Table", Credential.__table__)
_HERS: Final = tuple(column.name for column in _users.columns)
_OF_EACH: Final = tuple(column.name for column in _credentials.columns)
_BY_ID: Final = Plain(select(_users).where(_users.c.id == bindparam("id")))
_WITH_HELD: Final = select(
    _users, *(column.label(f"held_{column.name}") for column in _credentials.columns)
).outerjoin(_credentials, _credentials.c.user_id == _users.c.id)


def _with_held(known_as: ColumnElement[bool]) -> Plain:
    # SQLite waits for nobody, and joins by reading all people once it knows (ANALYZE) that hardly
    # anybody has a user name.
    return Plain(
        {"postgresql": _WITH_HELD.where(known_as), "sqlite": select(_users).where(known_as)}
    )


# Two, and not one that has either: SQLite would read the whole table for that, too.
_BY_ADDRESS: Final = _with_held(_users.c.email == bindparam("known_as"))
_BY_USERNAME: Final = _with_held(_users.c.username == bindparam("known_as"))


def is_another(user: User | None, typed: str | None) -> bool:
    """Is this somebody, and what was typed nothing that she is called?"""
    if user is None or not typed:
        return False
    name = normalise_login(typed)
    return name is None or name not in (user.email, user.username)


def by_login(login_name: str) -> User | None:
    """Whose e-mail address or user name this is, however it was typed; like ``known_as``."""
    return known_as(normalise_login(login_name))


def known_as(name: str | None) -> User | None:
    """The same of a name in its one form, which has None where nobody can be called that; also
    when she is disabled.

    With what she holds, for ``held_by``. What nobody can be called is looked up as well, and what
    nobody holds, so that it takes as long.
    """
    statement, values = _known_as(name)
    rows = statement.all(values)
    if dialect() == "sqlite":
        held = HELD.all({"user": rows[0].id if rows else ""})
    else:
        held = [_held(row) for row in rows if row.held_id is not None]
    if not rows:
        return None
    person = _Person(held=held)
    vars(person).update(zip(_HERS, rows[0], strict=False))
    return cast("User", person)


def _known_as(name: str | None) -> tuple[Plain, dict[str, str]]:
    """A user name has no ``@``, and an address has one."""
    return _BY_ADDRESS if name and "@" in name else _BY_USERNAME, {"known_as": name or ""}


def _held(row: PlainRow) -> Credential:
    columns = zip(_OF_EACH, row[len(_HERS) :], strict=True)
    return cast("Credential", SimpleNamespace(**dict(columns)))


class _Person(SimpleNamespace):
    """The columns of an account: the ORM's books on one cost as much as to find it."""

    display_name = User.display_name

    def __repr__(self) -> str:
        """Who it is, and not the hash of her password."""
        return f"<person {self.id}>"


def _value(row: PlainRow) -> User:
    return cast("User", _Person(**row._asdict()))


def by_id(user_id: str) -> User | None:
    """The person of that id; None when there is none."""
    row = _BY_ID.one({"id": user_id})
    return None if row is None else _value(row)


class Nobody(LookupError):
    """There is no person of that id, or there is none any more."""


def the(user_id: str) -> User:
    """The same, who must be there. Raises ``Nobody``."""
    found = by_id(user_id)
    if found is None:
        raise Nobody
    return found
