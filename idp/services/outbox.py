"""Sends what was committed to be sent: once, later if need be, and not for ever."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from secrets import SystemRandom
from time import monotonic
from typing import Any, Protocol

from sqlalchemy import ColumnElement, exists, select, update

from idp import audit
from idp.audit import Context
from idp.models import OutboxMessage, db, reading
from idp.secrecy import Unreadable

LEASE = timedelta(minutes=5)
"""How long a message belongs to whoever claimed it; more than any handler takes."""
ROUND = timedelta(minutes=1)
"""A round that has taken this long begins no further message."""
PATIENCE = timedelta(hours=24)
"""How long is tried where a message does not say."""
FIRST_RETRY = timedelta(seconds=15)
LAST_RETRY = timedelta(hours=1)

_RANDOM = SystemRandom()
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_log = logging.getLogger(__name__)


class Opener(Protocol):
    """Reads the payloads of some kinds: ``Box`` does, where they are sealed."""

    def open(self, sealed: str, /) -> Any: ...


class Undeliverable(Exception):
    """No later attempt will fare better."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed message, opened."""

    id: int
    kind: str
    recipient: str
    payload: Mapping[str, Any]
    created_at: datetime
    attempts: int
    """This one included."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A message as it was when it was claimed, whatever becomes of its row meanwhile."""

    id: int
    kind: str
    recipient: str
    payload: str
    created_at: datetime
    not_after: datetime | None
    attempts: int
    last_error: str | None

    @property
    def deadline(self) -> datetime:
        patience = self.created_at + PATIENCE
        return min(self.not_after, patience) if self.not_after else patience


_COLUMNS = tuple(getattr(OutboxMessage, one.name) for one in fields(_Claimed))

Handler = Callable[[Delivery], None]
"""Sends one message, within ``LEASE``. Raises ``Undeliverable``, or anything else to try again."""


class Outbox:
    """Delivers messages with the handler of their kind; kinds it has none for stay.

    Any number of these may run at once. A message is sent twice only if the process dies, or loses
    the database, between the other side's yes and the note of it.
    """

    def __init__(
        self,
        box: Opener,
        handlers: Mapping[str, Handler],
        *,
        jitter: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._box = box
        self._handlers = handlers
        self._jitter = jitter
        self._due = (
            OutboxMessage.kind.in_(sorted(handlers)),
            OutboxMessage.sent_at.is_(None),
            OutboxMessage.failed_at.is_(None),
        )

    def deliver_due(self, now: datetime, *, at_most: int = 100) -> int:
        """Try what is due at ``now``; returns how many were sent.

        Commits after every step, so it wants a database session of its own.
        """
        began, sent = monotonic(), 0
        for _ in range(at_most):
            elapsed = timedelta(seconds=monotonic() - began)
            message = self._claim(now + elapsed) if elapsed < ROUND else None
            if message is None:
                break
            sent += self._deliver(message, now + elapsed)
        return sent

    def _claim(self, now: datetime) -> _Claimed | None:
        """Lease the message that has been due longest; nobody else sees it meanwhile."""
        due = (*self._due, OutboxMessage.next_attempt_at <= now)
        with reading():
            waits = db.session.scalar(select(exists().where(*due)))
        return self._lease(due, now) if waits else None

    def _lease(self, due: Sequence[ColumnElement[bool]], now: datetime) -> _Claimed | None:
        oldest = (
            select(OutboxMessage.id)
            .where(*due)
            .order_by(OutboxMessage.next_attempt_at, OutboxMessage.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        claimed = db.session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == oldest)
            .values(attempts=OutboxMessage.attempts + 1, next_attempt_at=now + LEASE)
            .returning(*_COLUMNS)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        db.session.commit()
        return _Claimed(*claimed) if claimed else None

    def _deliver(self, message: _Claimed, now: datetime) -> bool:
        if now >= message.deadline:
            self._give_up(message, "too late", now)
            return False
        try:
            self._handlers[message.kind](self._opened(message))
        except (Undeliverable, Unreadable) as error:
            self._give_up(message, in_words(error), now)
        except Exception as error:
            db.session.rollback()
            self._postpone(message, in_words(error), now)
        else:
            _note(message, sent_at=now, payload="", last_error=None)
            return True
        return False

    def _opened(self, message: _Claimed) -> Delivery:
        return Delivery(
            id=message.id,
            kind=message.kind,
            recipient=message.recipient,
            payload=self._box.open(message.payload),
            created_at=message.created_at,
            attempts=message.attempts,
        )

    def _postpone(self, message: _Claimed, why: str, now: datetime) -> None:
        """Twice as long as last time, give or take a quarter, so that many do not come at once."""
        wait = min(FIRST_RETRY * 2 ** (message.attempts - 1), LAST_RETRY)
        wait *= 0.75 + self._jitter() / 2
        _log.warning("%s %s was not sent: %s", message.kind, message.id, why)
        _note(message, next_attempt_at=now + wait, last_error=why)

    def _give_up(self, message: _Claimed, why: str, now: datetime) -> None:
        about = self._about(message)
        audit.record(
            f"{message.kind}.failed",
            Context(at=now),
            user_id=about.get("user_id"),
            client_id=about.get("client_id"),
            session_id=about.get("session_id"),
            template=about.get("template"),
            attempts=message.attempts,
            error=message.last_error if why == "too late" and message.last_error else why,
        )
        _log.error("%s %s is given up: %s", message.kind, message.id, why)
        _note(message, failed_at=now, payload="", last_error=why)

    def _about(self, message: _Claimed) -> Mapping[str, Any]:
        try:
            payload: Mapping[str, Any] = self._box.open(message.payload)
        except Unreadable:
            return {}
        return payload


def _note(message: _Claimed, **values: Any) -> None:
    """Write the outcome down, unless the lease ran out and somebody else has the message now."""
    db.session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == message.id, OutboxMessage.attempts == message.attempts)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def in_words(error: Exception) -> str:
    """What went wrong, in a line without a link."""
    # A server may quote the mail in its refusal, and so the link in it.
    told = _URL.sub("(an address)", f"{type(error).__name__}: {error}")
    return " ".join(told.split())[:400]
