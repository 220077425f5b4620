"""Single-use values found by whose they are, where nobody could be asked to carry a handle."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from idp.models import Entry, db
from idp.secrecy import Box, Unreadable
from idp.state import put, supersede


def keep(
    purpose: str, owner: str, value: Mapping[str, Any], *, now: datetime, lifetime: timedelta
) -> None:
    """Keep ``value`` for ``owner`` (at most 64 characters), in place of an older one."""
    supersede(purpose, owner, now=now)
    put(purpose, value, now=now, lifetime=lifetime, owner=owner)


def find(purpose: str, owner: str, now: datetime) -> dict[str, Any] | None:
    """The value, left in place; None when there is none that is unused and not expired."""
    return db.session.scalar(
        select(Entry.data)
        .where(
            Entry.purpose == purpose,
            Entry.owner == owner,
            Entry.used_at.is_(None),
            Entry.expires_at > now,
        )
        .order_by(Entry.created_at.desc())
        .limit(1)
    )


def claim(purpose: str, owner: str, now: datetime) -> bool:
    """Use up what ``find`` found, in the caller's transaction; of any number of callers one does.

    It is one conditional update: whoever comes second changes no row.
    """
    return supersede(purpose, owner, now=now) > 0


def sealed(box: Box, value: Mapping[str, Any]) -> dict[str, Any]:
    """``value`` in a form that may be kept although it holds what must be read back."""
    return {"sealed": box.seal(dict(value))}


def opened(box: Box, value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What ``sealed`` made; None for None, and when its key is gone."""
    if value is None:
        return None
    try:
        found: dict[str, Any] = box.open(value["sealed"])
    except Unreadable:
        return None
    return found
