"""What has expired leaves the database, a few rows at a time, whoever else is at it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    and_,
    delete,
    exists,
    literal,
    or_,
    select,
    tuple_,
)

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
from idp.models.outbox import DECOY
from idp.services import belongings

BATCH: Final = 500
"""Rows that go in one transaction: on SQLite nobody else writes meanwhile."""

GRACE: Final = timedelta(days=1)
"""How long what has expired is kept: a clock that is set back must not revive what was used."""
SENT_KEPT: Final = timedelta(days=7)
FAILED_KEPT: Final = timedelta(days=30)

_DECOY: Final = literal(DECOY, literal_execute=True)
"""Written out, or the index of decoys would not be seen to be one of these."""

Condition = ColumnElement[bool]
Along = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """When a row of ``table`` may go, and what removes whatever goes along with such rows."""

    table: Table
    may_go: Callable[[datetime], Condition]
    along: Along | None = None


Places = dict[str, tuple[datetime, str]]
"""Where the next look at the sessions begins, by the column along which it goes."""


def clean_up(
    now: datetime, *, at_most: int | None = None, places: Places | None = None
) -> Mapping[str, int]:
    """Remove what has expired by ``now``; returns how many rows by table.

    ``at_most`` bounds the batches of each table; whoever calls again goes on from ``places``.
    Commits after each, and wants a database session of its own. Any number may run at once.
    """
    removed = {rule.table.name: _clean(rule, now, at_most) for rule in RULES}
    # After the grants, so that a session goes in the same round as the last of its grants.
    kept = {} if places is None else places
    sessions = sum(_clean_sessions(by, now, at_most, kept) for by in _OVER_BY)
    return removed | {_sessions.name: sessions}


def _clean(rule: Rule, now: datetime, at_most: int | None) -> int:
    removed, missed = 0, frozenset[Any]()
    for _ in _batches(at_most):
        due = _due(rule, now, missed)
        gone = _remove(rule.table, due, rule.may_go(now), rule.along)
        removed += len(gone)
        # Once passed over, what somebody else is just removing is left to them.
        if len(due) < BATCH or (missed and not gone):
            break
        missed = frozenset(due).difference(gone)
    return removed


def _batches(at_most: int | None) -> Iterable[int]:
    return count() if at_most is None else range(at_most)


def _due(rule: Rule, now: datetime, missed: Collection[Any]) -> Sequence[Any]:
    """Looked up apart: SQLite is locked for what goes, and not while that is looked for."""
    (key,) = rule.table.primary_key.columns
    wanted = select(key).where(rule.may_go(now)).limit(BATCH)
    if missed:
        wanted = wanted.where(key.not_in(missed))
    with reading():
        return db.session.scalars(wanted).all()


def _remove(
    table: Table, keys: Sequence[Any], may_go: Condition, along: Along | None = None
) -> Sequence[Any]:
    """Those of them that nobody else is just removing; returns their keys."""
    if not keys:
        return ()
    (key,) = table.primary_key.columns
    doomed = (
        select(key)
        .where(key.in_(keys), may_go)
        .with_for_update(skip_locked=True, of=table)
        .cte("doomed")
    )
    gone = db.session.scalars(
        delete(table).where(key.in_(select(doomed.c[0]))).returning(key)
    ).all()
    if along is not None and gone:
        along(gone)
    db.session.commit()
    return gone


def _clean_sessions(by: Column[Any], now: datetime, at_most: int | None, places: Places) -> int:
    """Those that are over ``by`` this, a page after the other, and then from the beginning again.

    A session that is over stays while a grant names it, for months perhaps: it is passed over, and
    not looked at again before all others were.
    """
    removed = 0
    for _ in _batches(at_most):
        page = _over(by, now, places.pop(by.name, None))
        free = [row.id for row in page if not row.is_named]
        removed += len(_remove(_sessions, free, ~_IS_NAMED))
        if len(page) < BATCH:
            break
        places[by.name] = page[-1].at, page[-1].id
    return removed


def _over(by: Column[Any], now: datetime, after: tuple[datetime, str] | None) -> Sequence[Any]:
    wanted = (
        select(_sessions.c.id, by.label("at"), _IS_NAMED.label("is_named"))
        .where(by < now - GRACE)
        .order_by(by, _sessions.c.id)
        .limit(BATCH)
    )
    if after is not None:
        wanted = wanted.where(tuple_(by, _sessions.c.id) > after)
    with reading():
        return db.session.execute(wanted).all()


def _table(model: Any) -> Table:
    return cast("Table", model.__table__)


def _expired(model: Any, kept: timedelta = GRACE) -> Rule:
    table = _table(model)
    return Rule(table, lambda now: table.c.expires_at < now - kept)


def _delivered(now: datetime) -> Condition:
    return or_(
        OutboxMessage.sent_at < now - SENT_KEPT,
        # In this order they are in one index.
        and_(OutboxMessage.sent_at.is_(None), OutboxMessage.failed_at < now - FAILED_KEPT),
        and_(OutboxMessage.kind == _DECOY, OutboxMessage.created_at < now - GRACE),
    )


RULES: Final = (
    _expired(Transaction),
    _expired(Entry),
    _expired(Counter),
    _expired(DeviceRequest),
    _expired(AccessToken),
    _expired(RefreshToken),
    replace(_expired(Grant), along=belongings.of_grants),
    Rule(_table(OutboxMessage), _delivered),
    _expired(ClientSecret, FAILED_KEPT),
    _expired(RegistrationToken),
)

_sessions: Final = _table(BrowserSession)
_OVER_BY: Final = (_sessions.c.expires_at, _sessions.c.ended_at)
_IS_NAMED: Final = exists().where(
    Grant.user_id == _sessions.c.user_id, Grant.session_id == _sessions.c.id
)
"""In ID tokens (``sid``), as long as the refresh tokens of a grant are alive."""
