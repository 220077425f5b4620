"""A person's sessions as she may see them: which browser, since when, and what opened each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from idp.config import Settings
from idp.models import BrowserSession, EvidenceRow, db


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One browser that is signed in. ``methods`` are what was proved in it, each once."""

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
    rows = db.session.execute(
        select(EvidenceRow.session_id, EvidenceRow.method)
        .where(EvidenceRow.session_id.in_(list(session_ids)))
        .order_by(EvidenceRow.id)
    )
    found: dict[str, tuple[str, ...]] = {}
    for session_id, method in rows:
        found[session_id] = tuple(dict.fromkeys((*found.get(session_id, ()), method)))
    return found
