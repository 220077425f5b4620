"""Single-use values in the database, each claimed by one conditional statement."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.models import Entry, db
from idp.secrecy import digest, new_secret

_TAKE = update(Entry).where(Entry.used_at.is_(None)).returning(Entry.data)


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
    db.session.execute(
        insert(Entry).values(
            handle_hash=digest(handle),
            purpose=purpose,
            owner=owner,
            data=dict(data),
            created_at=now,
            expires_at=now + lifetime,
        )
    )
    return handle


def peek(purpose: str, handle: str, *, now: datetime) -> dict[str, Any] | None:
    """The value, left in place; None when it is unknown, used, superseded or expired."""
    return peek_filed(purpose, digest(handle), now=now)


def peek_filed(purpose: str, filed: str, *, now: datetime) -> dict[str, Any] | None:
    """The same for who knows the hash of the handle alone."""
    return db.session.execute(
        select(Entry.data).where(
            Entry.handle_hash == filed,
            Entry.purpose == purpose,
            Entry.used_at.is_(None),
            Entry.expires_at > now,
        )
    ).scalar_one_or_none()


def take(purpose: str, handle: str, *, now: datetime) -> dict[str, Any] | None:
    """Claim the value in the caller's transaction; of any number of callers one receives it."""
    return take_filed(purpose, digest(handle), now=now)


def take_filed(purpose: str, filed: str, *, now: datetime) -> dict[str, Any] | None:
    """The same for who knows the hash of the handle alone."""
    return db.session.execute(
        _TAKE.where(
            Entry.handle_hash == filed,
            Entry.purpose == purpose,
            Entry.expires_at > now,
        ).values(used_at=now),
        execution_options={"synchronize_session": False},
    ).scalar_one_or_none()


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

    Rests on the primary key: never on a count of changed rows, which an upsert makes meaningless.
    """
    try:
        with db.session.begin_nested():
            put(purpose, {}, now=now, lifetime=lifetime, handle=f"{purpose}\0{value}")
    except IntegrityError:
        return False
    return True
