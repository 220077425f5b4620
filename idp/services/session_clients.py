"""Which clients a session has signed in to, so that they can be told when it ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from idp.models import Client, Grant, SessionClient, db
from idp.models.base import dialect
from idp.models.plain import Plain
from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.registration import parse_client_metadata

_NOTE: Final = Plain(
    {
        "postgresql": postgresql.insert(SessionClient).on_conflict_do_nothing(),
        "sqlite": sqlite.insert(SessionClient).on_conflict_do_nothing(),
    }
)


NOTING: Final = (
    postgresql.insert(SessionClient)
    .values(
        session_id=bindparam("noted_session"),
        client_id=bindparam("noted_client"),
        since=bindparam("noted_since"),
    )
    .on_conflict_do_nothing()
)
"""The same beside another statement of PostgreSQL, whose values have names of their own."""


def noted(session_id: str, client_id: str, now: datetime) -> dict[str, Any]:
    """The values of ``NOTING``, in the caller's transaction: SQLite has been told by then."""
    if dialect() == "sqlite":
        note(session_id, client_id, now)
        return {}
    return {"noted_session": session_id, "noted_client": client_id, "noted_since": now}


def note(session_id: str, client_id: str, now: datetime) -> None:
    """Remember that the client learns who is signed in here, in the caller's transaction."""
    _NOTE.run({"session_id": session_id, "client_id": client_id, "since": now})


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A client that a session has signed in to.

    ``stays_until`` is when its last token, at the latest, is worth nothing; None: it has none.
    ``away`` says that it may go on while the person is away.
    """

    client_id: str
    metadata: ClientMetadata
    stays_until: datetime | None
    away: bool

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.metadata.client_name or self.client_id

    @property
    def is_told(self) -> bool:
        """Is there a way to tell it that the session is over?"""
        found = (self.metadata.frontchannel_logout_uri, self.metadata.backchannel_logout_uri)
        return any(found)


def parties_of(
    session_id: str, user_id: str, now: datetime, *, access_lifetime: timedelta
) -> tuple[Party, ...]:
    """The clients of a person's session, by name, as they stand after it has ended."""
    rows = db.session.execute(
        select(Client.id, Client.registration)
        .join(SessionClient, SessionClient.client_id == Client.id)
        .where(SessionClient.session_id == session_id)
        .order_by(Client.name, Client.id)
    ).all()
    held = _held(session_id, user_id, now, access_lifetime)
    return tuple(
        Party(
            client_id=row.id,
            metadata=parse_client_metadata(row.registration),
            stays_until=held.get(row.id, (None, False))[0],
            away=held.get(row.id, (None, False))[1],
        )
        for row in rows
    )


def _held(
    session_id: str, user_id: str, now: datetime, access_lifetime: timedelta
) -> dict[str, tuple[datetime, bool]]:
    """Until when, at the latest, a client's tokens of a session hold, and whether it renews.

    A token that nobody asks us about holds until it expires, whatever has ended here meanwhile.
    """
    rows = db.session.execute(
        select(Grant.client_id, Grant.ended_at, Grant.expires_at)
        .where(Grant.user_id == user_id, Grant.session_id == session_id, Grant.expires_at > now)
        .where(Grant.code_hash.is_(None) | Grant.code_used_at.is_not(None))
    )
    held: dict[str, tuple[datetime, bool]] = {}
    for client_id, ended_at, expires_at in rows:
        last = expires_at if ended_at is None else min(expires_at, ended_at + access_lifetime)
        known, away = held.get(client_id, (last, False))
        held[client_id] = (max(known, last), away or ended_at is None)
    return {client_id: found for client_id, found in held.items() if found[0] > now}
