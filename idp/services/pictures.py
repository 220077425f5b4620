"""Logos that administrators upload: in the database, so that every node has them."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Text, cast, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.audit import Context
from idp.models import Client, Picture, db, reading
from idp.protocol.pictures import picture_type
from idp.services.invalid import Invalid

LARGEST: Final = 200_000
"""Bytes of one."""
MOST_PIXELS: Final = 2048
PATH: Final = "/pictures/"
KEPT: Final = timedelta(days=30)
"""A picture that nothing names: so that what was taken away can be put back by its address."""

_NAME: Final = re.compile(rf"{PATH}([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as it is sent."""

    media_type: str
    body: bytes


def keep(body: bytes, context: Context, *, field: str) -> str:
    """Store it in the caller's transaction, unless it is there; returns its path.

    Raises ``Invalid`` at ``field``.
    """
    if len(body) > LARGEST:
        raise Invalid({field: f"A logo has at most {LARGEST // 1000} kB. This one is larger."})
    try:
        media_type = picture_type(body, most=MOST_PIXELS)
    except ValueError as error:
        raise Invalid({field: f"A logo {error}."}) from error
    name = _name(body)
    row = {"id": name, "media_type": media_type, "body": body, "created_at": context.at}
    if not _is_there(name, context.at):
        try:
            with db.session.begin_nested():
                db.session.execute(insert(Picture).values(row))
        except IntegrityError:
            pass  # somebody else stored the same at this moment
    return f"{PATH}{name}"


def _is_there(name: str, now: datetime) -> bool:
    """If so it is young again: whoever forgets what is unused leaves it, or has done so before."""
    used = update(Picture).where(Picture.id == name).values(created_at=now).returning(Picture.id)
    options = {"synchronize_session": False}
    return db.session.scalar(used, execution_options=options) is not None


def forget_unused(named: Iterable[str], now: datetime) -> int:
    """Delete pictures that no registration names, nor any text of ``named``; returns how many.

    Not before they have been there for ``KEPT``. Commits.
    """
    is_old = Picture.created_at < now - KEPT
    with reading():
        old = set(db.session.scalars(select(Picture.id).where(is_old)))
        doomed = old - _names_in((*named, *_registrations())) if old else old
    if not doomed:
        return 0
    gone = delete(Picture).where(Picture.id.in_(doomed), is_old).returning(Picture.id)
    count = len(db.session.scalars(gone, execution_options={"synchronize_session": False}).all())
    db.session.commit()
    return count


def _registrations() -> Sequence[str]:
    """Those with a picture in them, a language's own included, as JSON."""
    text = cast(Client.registration, Text)
    return db.session.scalars(select(text).where(text.contains(PATH))).all()


def _names_in(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in _NAME.findall(text)}


def find(name: str) -> Shown | None:
    """By its name."""
    found = select(Picture.media_type, Picture.body).where(Picture.id == name)
    row = db.session.execute(found).one_or_none()
    return Shown(row.media_type, row.body) if row else None


def _name(body: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")
