"""What the outbox holds: what waits to be sent, and what was given up and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from idp.models import OutboxMessage, db
from idp.models.outbox import DECOY

RECENT: Final = timedelta(days=7)
MOST: Final = 20

_OPEN = (OutboxMessage.sent_at.is_(None), OutboxMessage.failed_at.is_(None))


@dataclass(frozen=True, slots=True)
class Stuck:
    """A message that was tried in vain. ``recipient`` is an address, of a person or of a client."""

    kind: str
    recipient: str
    created_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    failed_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class OutboxState:
    """``waiting`` counts all that is not sent; ``stuck`` are those tried in vain, newest first."""

    waiting: int
    oldest: datetime | None
    stuck: Sequence[Stuck]


def outbox_state(now: datetime) -> OutboxState:
    """The outbox as it is; decoys, which nobody waits for, are left out."""
    waiting, oldest = db.session.execute(
        select(func.count(), func.min(OutboxMessage.created_at)).where(
            *_OPEN, OutboxMessage.kind != DECOY
        )
    ).one()
    return OutboxState(waiting, oldest, (*_retried(), *_given_up(now)))


def _retried() -> list[Stuck]:
    return _stuck(*_OPEN, OutboxMessage.last_error.is_not(None))


def _given_up(now: datetime) -> list[Stuck]:
    return _stuck(OutboxMessage.sent_at.is_(None), OutboxMessage.failed_at > now - RECENT)


def _stuck(*which: object) -> list[Stuck]:
    found = db.session.scalars(
        select(OutboxMessage)
        .where(*which, OutboxMessage.kind != DECOY)  # type: ignore[arg-type]
        .order_by(OutboxMessage.next_attempt_at.desc())
        .limit(MOST)
    )
    return [
        Stuck(
            kind=one.kind,
            recipient=one.recipient,
            created_at=one.created_at,
            attempts=one.attempts,
            next_attempt_at=None if one.failed_at else one.next_attempt_at,
            failed_at=one.failed_at,
            error=one.last_error,
        )
        for one in found
    ]
