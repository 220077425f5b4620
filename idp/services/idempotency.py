"""A call that is sent again because nobody heard the answer: done once, answered alike.

The key that came with it is claimed in the transaction that does what was asked for, so that of
any number of calls at the same moment one does it. The answer is kept right after, sealed, for it
may hold a secret that is told once. Should the process die in between, it is known that the thing
was done, and not what came of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from idp.models import Entry, db
from idp.secrecy import Box, digest
from idp.services import kept
from idp.state import put

PURPOSE: Final = "idempotency"
LIFETIME: Final = timedelta(hours=24)


class KeyReused(Exception):
    """The key came with another call before."""


class NotAnswered(Exception):
    """The call is being answered at this moment, or it is not known how it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a caller calls one call, and what that call is: of another caller it is another."""

    caller: str
    name: str
    call: str

    @property
    def handle(self) -> str:
        """What it is filed under; only a hash of it is stored."""
        return f"{PURPOSE}\0{self.caller}\0{self.name}"


class Idempotency:
    """Keeps the answers of calls that came with a key."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def begin(self, key: Key, now: datetime) -> Mapping[str, Any] | None:
        """The answer given before; None when there was none, and the key is claimed.

        The claim is part of the caller's transaction. Raises ``KeyReused``, ``NotAnswered``.
        """
        if _first(key, now) or _over(key, now):
            return None
        found = db.session.scalar(select(Entry.data).where(_this(key))) or {}
        db.session.rollback()
        if found.get("call") != digest(key.call):
            raise KeyReused
        answer = kept.opened(self._box, found.get("answer"))
        if answer is None:
            raise NotAnswered
        return answer

    def finish(self, key: Key, answer: Mapping[str, Any]) -> None:
        """Keep the answer. Commits."""
        data = {"call": digest(key.call), "answer": kept.sealed(self._box, answer)}
        _change(update(Entry).where(_this(key)).values(data=data))
        db.session.commit()

    def forget(self, key: Key) -> None:
        """The call was refused: it may come again. Commits."""
        _change(delete(Entry).where(_this(key)))
        db.session.commit()


def _this(key: Key) -> Any:
    return Entry.handle_hash == digest(key.handle)


def _first(key: Key, now: datetime) -> bool:
    data = {"call": digest(key.call)}
    try:
        with db.session.begin_nested():
            put(PURPOSE, data, now=now, lifetime=LIFETIME, handle=key.handle)
    except IntegrityError:
        return False
    return True


def _over(key: Key, now: datetime) -> bool:
    """Is it so old that it counts no more? Then it is the caller's anew; of several, one's."""
    again = (
        update(Entry)
        .where(_this(key), Entry.expires_at <= now)
        .values(data={"call": digest(key.call)}, created_at=now, expires_at=now + LIFETIME)
        .returning(Entry.handle_hash)
    )
    return db.session.scalar(again, execution_options=_CORE) is not None


def _change(statement: Any) -> None:
    db.session.execute(statement, execution_options=_CORE)


_CORE: Final = {"synchronize_session": False}
