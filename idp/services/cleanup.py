"""What has expired leaves the database, a few rows at a time, whoever else is at it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Table, and_, delete, exists, or_, select

from idp.models import (
    AccessToken,
    BrowserSession,
    ClientSecret,
    Counter,
    DeviceRequest,
    Entry,
    Grant,
    OutboxMessage,
    RefreshToken,
    RegistrationToken,
    Transaction,
    db,
    reading,
)
from idp.services import belongings
from idp.services.mail import DECOY

BATCH: Final = 500
"""Rows that go in one transaction: on SQLite nobody else writes meanwhile."""

GRACE: Final = timedelta(days=1)
"""How long what has expired is kept: a clock that is set back must not revive what was used."""
SENT_KEPT: Final = timedelta(days=7)
FAILED_KEPT: Final = timedelta(days=30)

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """When a row of ``table`` may go, and what removes whatever goes along with such rows."""

    table: Table
    may_go: Callable[[datetime], Condition]
    along: Callable[[Sequence[str]], None] | None = None


def clean_up(now: datetime, *, at_most: int | None = None) -> Mapping[str, int]:
    """Remove what has expired by ``now``; returns how many rows by table.

    ``at_most`` bounds the batches of each table. Commits after each, and wants a database session
    of its own. Any number may run at once.
    """
    return {rule.table.name: _clean(rule, now, at_most) for rule in RULES}


def _clean(rule: Rule, now: datetime, at_most: int | None) -> int:
    removed = batches = 0
    while (at_most is None or batches < at_most) and _is_due(rule, now):
        gone = _remove(rule, now)
        if not gone:
            break  # somebody else has them
        removed, batches = removed + gone, batches + 1
    return removed


def _is_due(rule: Rule, now: datetime) -> bool:
    """Looked up first, so that nothing to do is no write lock."""
    with reading():
        return bool(db.session.scalar(select(exists().where(rule.may_go(now)))))


def _remove(rule: Rule, now: datetime) -> int:
    (key,) = rule.table.primary_key.columns
    doomed = (
        select(key)
        .where(rule.may_go(now))
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=rule.table)
        .cte("doomed")
    )
    gone = db.session.scalars(
        delete(rule.table).where(key.in_(select(doomed.c[0]))).returning(key)
    ).all()
    if rule.along is not None and gone:
        rule.along(gone)
    db.session.commit()
    return len(gone)


def _table(model: Any) -> Table:
    return cast("Table", model.__table__)


def _expired(model: Any, kept: timedelta = GRACE) -> Rule:
    table = _table(model)
    return Rule(table, lambda now: table.c.expires_at < now - kept)


def _over(now: datetime) -> Condition:
    # A grant whose refresh tokens are alive still names its session in ID tokens (``sid``).
    over = or_(BrowserSession.expires_at < now - GRACE, BrowserSession.ended_at < now - GRACE)
    return and_(over, ~exists().where(Grant.session_id == BrowserSession.id))


def _delivered(now: datetime) -> Condition:
    return or_(
        OutboxMessage.sent_at < now - SENT_KEPT,
        OutboxMessage.failed_at < now - FAILED_KEPT,
        and_(OutboxMessage.kind == DECOY, OutboxMessage.created_at < now - GRACE),
    )


RULES: Final = (
    _expired(Transaction),
    _expired(Entry),
    _expired(Counter),
    _expired(DeviceRequest),
    _expired(AccessToken),
    _expired(RefreshToken),
    replace(_expired(Grant), along=belongings.of_grants),
    Rule(_table(BrowserSession), _over),
    Rule(_table(OutboxMessage), _delivered),
    _expired(ClientSecret, FAILED_KEPT),
    _expired(RegistrationToken),
)
"""Grants before sessions, so that a session goes in the same round as the last of its grants."""
