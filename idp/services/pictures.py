"""Logos that administrators upload: in the database, so that every node has them."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from idp.audit import Context
from idp.models import Picture, db
from idp.protocol.pictures import picture_type
from idp.services.invalid import Invalid

LARGEST: Final = 200_000
"""Bytes of one."""
MOST_PIXELS: Final = 2048
PATH: Final = "/pictures/"


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
    if db.session.get(Picture, name) is None:
        try:
            with db.session.begin_nested():
                db.session.execute(insert(Picture).values(row))
        except IntegrityError:
            pass  # somebody else stored the same at this moment
    return f"{PATH}{name}"


def find(name: str) -> Shown | None:
    """By its name."""
    found = select(Picture.media_type, Picture.body).where(Picture.id == name)
    row = db.session.execute(found).one_or_none()
    return Shown(row.media_type, row.body) if row else None


def _name(body: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")
