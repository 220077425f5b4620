"""A person's sessions as she may see them: which browser, since when, and what opened each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from idp.config import Settings
from idp.models import BrowserSession, EvidenceRow, db


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One browser that is signed in. ``methods`` are what it was signed in with, each once."""

    id: str
    user_agent: str
    address: str
    started: datetime
    last_seen: datetime
    persistent: bool
    methods: tuple[str, ...]


def listed(user_id: str, now: datetime) -> Sequence[BrowserSession]:
    """A person's sessions that have been opened and are not over, the latest used first."""
    return db.session.scalars(
        select(BrowserSession)
        .where(
            BrowserSession.user_id == user_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.token_hash.is_not(None),
            BrowserSession.expires_at > now,
        )
        .order_by(BrowserSession.last_seen_at.desc())
    ).all()


def session_list(user_id: str, settings: Settings, now: datetime) -> list[SessionView]:
    """Those that can still be presented, the latest used first."""
    alive = [one for one in listed(user_id, now) if _is_in_use(one, settings, now)]
    methods = _methods(one.id for one in alive)
    return [
        SessionView(
            id=one.id,
            user_agent=one.user_agent,
            address=one.address,
            started=one.created_at,
            last_seen=one.last_seen_at,
            persistent=one.persistent,
            methods=methods.get(one.id, ()),
        )
        for one in alive
    ]


def _is_in_use(session: BrowserSession, settings: Settings, now: datetime) -> bool:
    idle = settings.session_idle_kept if session.persistent else settings.session_idle
    return session.last_seen_at > now - idle


def _methods(session_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    used = used_in(session_ids)
    return {one: tuple(dict.fromkeys(use.method for use in uses)) for one, uses in used.items()}


@dataclass(frozen=True, slots=True)
class Use:
    """A method by which a session was signed in to, and its credential where it has one."""

    method: str
    credential_id: str | None


def used_in(session_ids: Iterable[str]) -> dict[str, list[Use]]:
    """What each session was signed in with, in the order of time.

    What was only set up in one was not used for it, though the ledger has both; unless nothing
    else opened it, as with the account that is made first of all.
    """
    rows = db.session.execute(
        select(EvidenceRow)
        .where(EvidenceRow.session_id.in_(list(session_ids)))
        .order_by(EvidenceRow.id)
    ).scalars()
    by_session: dict[str, list[EvidenceRow]] = {}
    for row in rows:
        by_session.setdefault(row.session_id, []).append(row)
    return {one: _uses(found) for one, found in by_session.items()}


def _uses(rows: Sequence[EvidenceRow]) -> list[Use]:
    used = [row for row in rows if not row.enrolled] or rows
    return [Use(row.method, row.credential_id) for row in used]
