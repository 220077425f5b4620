"""Secrets that are made once, before serving, and stay for as long as the deployment does.

They are sealed like everything that must be read back, and sealed anew when another deployment
key has come in front: an old key that leaked can be taken away without losing them.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from secrets import token_bytes
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.models import StoredSecret, db
from idp.secrecy import Box, Unreadable
from idp.services.keys import KeysUnreadable

PAIRWISE: Final = "pairwise"
NAMES: Final = (PAIRWISE,)

BYTES: Final = 64


class NotPrepared(Exception):
    """The secret is not there yet: ``prepare`` has not been run."""


def prepare(box: Box, now: datetime) -> None:
    """Make what is not there yet, and seal anew what an older key sealed; the caller commits.

    Raises ``KeysUnreadable``.
    """
    for name in NAMES:
        sealed = _sealed(name)
        if sealed is None:
            _make(name, box, now)
        elif not box.is_current(sealed):
            anew = box.seal(_opened(box, sealed))
            db.session.execute(
                update(StoredSecret).where(StoredSecret.name == name).values(sealed=anew)
            )


def check(box: Box) -> None:
    """Raise ``KeysUnreadable`` where one is there and cannot be opened."""
    for sealed in map(_sealed, NAMES):
        if sealed is not None:
            _opened(box, sealed)


def read(box: Box, name: str) -> bytes:
    """The 64 random bytes of that name. Raises ``NotPrepared``, ``KeysUnreadable``."""
    sealed = _sealed(name)
    if sealed is None:
        raise NotPrepared(name)
    return urlsafe_b64decode(_opened(box, sealed))


def _sealed(name: str) -> str | None:
    return db.session.scalar(select(StoredSecret.sealed).where(StoredSecret.name == name))


def _opened(box: Box, sealed: str) -> str:
    try:
        return str(box.open(sealed))
    except Unreadable:
        raise KeysUnreadable from None


def _make(name: str, box: Box, now: datetime) -> None:
    secret = urlsafe_b64encode(token_bytes(BYTES)).decode()
    try:
        with db.session.begin_nested():
            db.session.execute(
                insert(StoredSecret).values(name=name, sealed=box.seal(secret), created_at=now)
            )
    except IntegrityError:
        return  # another node, at this very moment
