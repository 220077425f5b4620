"""The applications that a person has connected: allowed by her, or holding a grant of hers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from idp.models import Client, Grant, db
from idp.services.consents import Consents


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedApp:
    """One client and what it may do. Its times are of the first and the last sign-in to it."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    first_used: datetime
    last_used: datetime

    @property
    def offline(self) -> bool:
        """May it act while the person is away?"""
        return "offline_access" in self.scopes

    def merged(self, other: "ConnectedApp") -> "ConnectedApp":
        """What is known of the same client from two places."""
        return ConnectedApp(
            client_id=self.client_id,
            name=self.name,
            scopes=tuple(dict.fromkeys((*self.scopes, *other.scopes))),
            first_used=min(self.first_used, other.first_used),
            last_used=max(self.last_used, other.last_used),
        )


class ConnectedApps:
    """Lists them. ``Consents.revoke`` disconnects one: it ends the consent and the grants."""

    def __init__(self, consents: Consents) -> None:
        self._consents = consents

    def listed(self, user_id: str, now: datetime) -> list[ConnectedApp]:
        """By name. An app that is trusted without consent is there while a grant of it lives."""
        found: dict[str, ConnectedApp] = {}
        for app in (*self._allowed(user_id), *_holding(user_id, now)):
            known = found.get(app.client_id)
            found[app.client_id] = known.merged(app) if known else app
        return sorted(found.values(), key=lambda app: (app.name.casefold(), app.client_id))

    def _allowed(self, user_id: str) -> Iterable[ConnectedApp]:
        for given in self._consents.listed(user_id):
            yield ConnectedApp(
                client_id=given.client_id,
                name=given.client_name,
                scopes=given.scopes,
                first_used=given.granted_at,
                last_used=given.last_used_at,
            )

    def names_by_session(self, user_id: str, now: datetime) -> dict[str, list[str]]:
        """Which applications each session has led to, by session id."""
        rows = db.session.execute(
            select(Grant.session_id, Client.name)
            .join(Client, Client.id == Grant.client_id)
            .where(Grant.user_id == user_id, Grant.ended_at.is_(None), Grant.expires_at > now)
            .distinct()
            .order_by(Client.name)
        )
        names: dict[str, list[str]] = {}
        for session_id, name in rows:
            if session_id is not None:
                names.setdefault(session_id, []).append(name)
        return names


def _holding(user_id: str, now: datetime) -> Iterable[ConnectedApp]:
    rows = db.session.execute(
        select(Grant.client_id, Client.name, Grant.scope, Grant.created_at)
        .join(Client, Client.id == Grant.client_id)
        .where(Grant.user_id == user_id, Grant.ended_at.is_(None), Grant.expires_at > now)
    )
    for client_id, name, scope, created_at in rows:
        yield ConnectedApp(
            client_id=client_id,
            name=name,
            scopes=tuple(scope.split()),
            first_used=created_at,
            last_used=created_at,
        )
