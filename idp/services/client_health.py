"""How a client fares: when somebody last signed in, what failed lately, and mostly why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from idp.models import AuditEvent, SessionClient, db
from idp.services.turned_away import BY_THEMSELVES

LATELY: Final = timedelta(days=1)
MOST: Final = 100
"""Events of a client that are looked at: what is asked about ten thousand has to stay cheap."""


@dataclass(frozen=True, slots=True)
class Health:
    """``failures`` are those of the last day, ``MOST`` at most; ``reason`` the commonest."""

    last_sign_in: datetime | None
    failures: int
    reason: tuple[str, str] | None
    """The event's name, and what it says went wrong."""


def health_of(client_id: str, now: datetime) -> Health:
    """In two statements, each of which reads one index from its end."""
    since = select(SessionClient.since).where(SessionClient.client_id == client_id)
    failed = [_reason(event) for event in _latest(client_id) if _is_failure(event, now - LATELY)]
    return Health(
        last_sign_in=db.session.scalar(since.order_by(SessionClient.since.desc()).limit(1)),
        failures=len(failed),
        reason=Counter(failed).most_common(1)[0][0] if failed else None,
    )


def _latest(client_id: str) -> Sequence[AuditEvent]:
    latest = select(AuditEvent).where(AuditEvent.client_id == client_id)
    return db.session.scalars(latest.order_by(AuditEvent.id.desc()).limit(MOST)).all()


def _is_failure(event: AuditEvent, since: datetime) -> bool:
    # A wrong password is the person's failure, not the application's; who says no fails in nothing.
    return (
        event.at >= since
        and event.name.endswith(".refused")
        and not event.name.startswith("login.")
        and event.data.get("reason") not in BY_THEMSELVES
    )


def _reason(event: AuditEvent) -> tuple[str, str]:
    description = event.data.get("description", "")
    if "redirect_uri" in description:
        return event.name, "redirect_uri"
    return event.name, str(event.data.get("reason") or event.data.get("error") or "")
