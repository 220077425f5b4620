"""Single-use values in the database, each claimed by one conditional statement."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idp.models import Entry, db
from idp.models.plain import Plain
from idp.secrecy import digest, new_secret

_entries: Final = cast("Table", Entry.__table__)
_HERE: Final = (
    _entries.c.handle_hash == bindparam("filed"),
    _entries.c.purpose == bindparam("for"),
    _entries.c.used_at.is_(None),
    _entries.c.expires_at > bindparam("now"),
)
_PUT: Final = Plain(_entries.insert())
_PEEK: Final = Plain(select(_entries.c.data).where(*_HERE))
_TAKE: Final = Plain(
    _entries.update()
    .where(*_HERE)
    .values(used_at=bindparam("now", type_=_entries.c.used_at.type))
    .returning(_entries.c.data)
)
_MARK: Final = Plain(
    {
        name: insert(_entries).on_conflict_do_nothing().returning(_entries.c.purpose)
        for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
    }
)


def put(
    purpose: str,
    data: Mapping[str, Any],
    *,
    now: datetime,
    lifetime: timedelta,
    owner: str | None = None,
    handle: str | None = None,
) -> str:
    """Keep ``data`` for ``lifetime``; returns the secret handle, of which only a hash is stored."""
    handle = handle or new_secret()
    _PUT.run(_row(purpose, handle, data, now=now, lifetime=lifetime, owner=owner))
    return handle


def _row(
    purpose: str,
    handle: str,
    data: Mapping[str, Any],
    *,
    now: datetime,
    lifetime: timedelta,
    owner: str | None = None,
) -> dict[str, Any]:
    return {
        "handle_hash": digest(handle),
        "purpose": purpose,
        "owner": owner,
        "data": dict(data),
        "created_at": now,
        "expires_at": now + lifetime,
    }


def peek(purpose: str, handle: str, *, now: datetime) -> dict[str, Any] | None:
    """The value, left in place; None when it is unknown, used, superseded or expired."""
    return peek_filed(purpose, digest(handle), now=now)


def peek_filed(purpose: str, filed: str, *, now: datetime) -> dict[str, Any] | None:
    """The same for who knows the hash of the handle alone."""
    found: dict[str, Any] | None = _PEEK.value({"filed": filed, "for": purpose, "now": now})
    return found


def take(purpose: str, handle: str, *, now: datetime) -> dict[str, Any] | None:
    """Claim the value in the caller's transaction; of any number of callers one receives it."""
    return take_filed(purpose, digest(handle), now=now)


def take_filed(purpose: str, filed: str, *, now: datetime) -> dict[str, Any] | None:
    """The same for who knows the hash of the handle alone."""
    taken: dict[str, Any] | None = _TAKE.value({"filed": filed, "for": purpose, "now": now})
    return taken


def supersede(purpose: str, owner: str, *, now: datetime) -> int:
    """Make every unused value of ``owner`` worthless; returns how many there were."""
    result = db.session.execute(
        update(Entry)
        .where(Entry.purpose == purpose, Entry.owner == owner, Entry.used_at.is_(None))
        .values(used_at=now),
        execution_options={"synchronize_session": False},
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type
    return result.rowcount


def mark(purpose: str, value: str, *, now: datetime, lifetime: timedelta) -> bool:
    """Remember that ``value`` was seen; False when it had been (a replay).

    Rests on the primary key: a row comes back to the one whose it has become.
    """
    handle = f"{purpose}\0{value}"
    return _MARK.one(_row(purpose, handle, {}, now=now, lifetime=lifetime)) is not None
