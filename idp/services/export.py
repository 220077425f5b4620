"""Everything this provider holds about a person, as JSON values; what is secret is left out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from idp.models import AuditEvent, BrowserSession, Credential, Grant, User, db
from idp.services.apps import ConnectedApps
from idp.services.claims import claims_of
from idp.services.holdings import credentials_of
from idp.services.passkeys import passkeys


def exported(user: User, apps: ConnectedApps, now: datetime) -> dict[str, Any]:
    """One object a noun; instants are ISO 8601 in UTC."""
    credentials = credentials_of(user)
    return {
        "exported_at": now.isoformat(),
        "account": {
            "id": user.id,
            "created_at": user.created_at.isoformat(),
            "updated_at": user.updated_at.isoformat(),
            "deletion_due_at": _instant(user.deletion_due_at),
            "role": user.role,
            **claims_of(user),
        },
        "ways_to_sign_in": _ways(credentials),
        "sessions": [_session(one) for one in _rows(BrowserSession, user)],
        "connected_apps": [
            {
                "client_id": app.client_id,
                "name": app.name,
                "scopes": list(app.scopes),
                "first_used": app.first_used.isoformat(),
                "last_used": app.last_used.isoformat(),
            }
            for app in apps.listed(user.id, now)
        ],
        "sign_ins_to_apps": [_grant(one) for one in _rows(Grant, user)],
        "activity": [_event(one) for one in _events(user)],
    }


def _ways(credentials: Iterable[Credential]) -> list[dict[str, Any]]:
    """Kind and times of each; of passkeys also what they said of themselves."""
    said = {one.id: one for one in passkeys(list(credentials))}
    return [
        {
            "kind": one.kind,
            "name": one.label,
            "created_at": one.created_at.isoformat(),
            "last_used_at": _instant(one.last_used_at),
            "used_at": _instant(one.used_at),
        }
        | (
            {
                "backed_up": said[one.id].backed_up,
                "device_bound": said[one.id].device_bound,
                "aaguid": said[one.id].aaguid,
            }
            if one.id in said
            else {}
        )
        for one in credentials
    ]


def _rows(model: Any, user: User) -> Iterable[Any]:
    found: Iterable[Any] = db.session.scalars(
        select(model).where(model.user_id == user.id).order_by(model.created_at)
    )
    return found


def _events(user: User) -> Iterable[AuditEvent]:
    return db.session.scalars(
        select(AuditEvent).where(AuditEvent.user_id == user.id).order_by(AuditEvent.id)
    )


def _session(session: BrowserSession) -> dict[str, Any]:
    return {
        "started": session.created_at.isoformat(),
        "last_seen_at": session.last_seen_at.isoformat(),
        "ended_at": _instant(session.ended_at),
        "kept_signed_in": session.persistent,
        "browser": session.user_agent,
        "address": session.address,
    }


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "client_id": grant.client_id,
        "at": grant.created_at.isoformat(),
        "scopes": grant.scope.split(),
        "acr": grant.acr,
        "amr": (grant.amr or "").split(),
        "ended_at": _instant(grant.ended_at),
    }


def _event(event: AuditEvent) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(),
        "event": event.name,
        "client_id": event.client_id,
        "address": event.address,
        "details": event.data,
    }


def _instant(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
