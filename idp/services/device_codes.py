"""Device authorization requests: asked for, found by the code that somebody types, decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Row, Table, bindparam, select
from sqlalchemy.exc import IntegrityError

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.models import DeviceRequest, db, new_id
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.device import KEPT, grouped, new_user_code, read_user_code
from idp.secrecy import Box, digest, new_secret
from idp.services import session_clients
from idp.services.going_on import goes_on
from idp.services.granted import Granted, keep_grant, kept_of
from idp.services.grants import Grants

INTERVAL: Final = 5
"""Seconds between two polls, to begin with (RFC 8628 section 3.2)."""

TRIES: Final = 5
"""A code that is taken already comes up once in millions of times."""

_requests: Final = cast("Table", DeviceRequest.__table__)

# Decided once: of two tabs, the second finds it done.
_DECIDE = (
    _requests.update()
    .where(
        _requests.c.id == bindparam("request"),
        _requests.c.decided_at.is_(None),
        _requests.c.expires_at > bindparam("now"),
    )
    .values(decided_at=bindparam("now"), user_id=bindparam("person"), grant_id=bindparam("granted"))
    .returning(_requests.c.client_id)
)


@dataclass(frozen=True, slots=True)
class Issued:
    """What the device is told (RFC 8628 section 3.2); ``user_code`` as it is to be shown."""

    device_code: str
    user_code: str
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request as the page that asks about it needs it."""

    id: str
    client_id: str
    user_code: str
    parameters: Mapping[str, Any]
    address: str
    user_agent: str
    created_at: datetime
    expires_at: datetime
    decided_by: str | None
    allowed: bool

    def is_open(self, now: datetime) -> bool:
        """Is there still something to decide?"""
        return self.decided_by is None and now < self.expires_at


class DeviceCodes:
    """Keeps the requests. The device's side of them is ``DevicePolling``."""

    def __init__(self, settings: Settings, box: Box, grants: Grants) -> None:
        self._settings = settings
        self._box = box
        self._grants = grants

    def issue(self, request: AuthorizationRequest, context: Context) -> Issued:
        """Write a request and return its two codes, of which the device's is kept as a hash only.

        Commits.
        """
        device_code, lifetime = new_secret(), self._settings.device_code_lifetime
        columns = {
            "device_hash": digest(device_code),
            "client_id": request.client_id,
            "parameters": {
                name: value
                for name, value in request.parameters.to_json().items()
                if name in KEPT and value
            },
            "address": context.address[:45],
            "user_agent": context.user_agent[:400],
            "interval": INTERVAL,
            "created_at": context.at,
            "expires_at": context.at + lifetime,
        }
        user_code = self._insert(columns)
        scope = list(request.scopes)
        audit.record("device.requested", context, client_id=request.client_id, scope=scope)
        db.session.commit()
        seconds = int(lifetime.total_seconds())
        return Issued(device_code, grouped(user_code), seconds, INTERVAL)

    def _insert(self, columns: Mapping[str, Any]) -> str:
        for _try in range(TRIES):
            user_code = new_user_code()
            hashed = self._hash(user_code)
            row = {"id": new_id(), "user_code_hash": hashed, "user_code": self._box.seal(user_code)}
            try:
                with db.session.begin_nested():
                    db.session.execute(_requests.insert(), {**columns, **row})
            except IntegrityError:
                continue
            return user_code
        raise RuntimeError("no user code is free")

    def _hash(self, user_code: str) -> str:
        # Keyed: 34 bits can be tried out by whoever reads a plain hash.
        return self._box.keyed_digest("user_code", user_code)

    def find(self, typed: str, now: datetime) -> Waiting | None:
        """The request whose code somebody typed; None for none that is there to be decided."""
        user_code = read_user_code(typed)
        if user_code is None:
            return None
        found = self._one(_requests.c.user_code_hash == self._hash(user_code))
        return found if found and found.is_open(now) else None

    def get(self, request_id: str) -> Waiting | None:
        """The request of that id, whatever became of it."""
        return self._one(_requests.c.id == request_id)

    def _one(self, condition: ColumnElement[bool]) -> Waiting | None:
        row = db.session.execute(select(_requests).where(condition)).one_or_none()
        return self._waiting(row) if row else None

    def _waiting(self, row: Row[Any]) -> Waiting:
        return Waiting(
            id=row.id,
            client_id=row.client_id,
            user_code=grouped(self._box.open(row.user_code)),
            parameters=row.parameters,
            address=row.address,
            user_agent=row.user_agent,
            created_at=row.created_at,
            expires_at=row.expires_at,
            decided_by=row.user_id if row.decided_at else None,
            allowed=row.grant_id is not None,
        )

    def allow(
        self, waiting: Waiting, granted: Granted, request: AuthorizationRequest, context: Context
    ) -> bool:
        """Write what was allowed, in the caller's transaction; False when it was decided before,
        or the session in which it is allowed has ended.

        Then the caller must roll back.
        """
        ends = waiting.expires_at + self._grants.outlives_code(granted.scope)
        grant_id = keep_grant(granted, kept_of(request), now=context.at, expires_at=ends)
        if granted.session_id is not None and not goes_on(granted.session_id):
            return False
        if granted.session_id is not None:  # its ID token says ``sid``, so it is told of the end
            session_clients.note(granted.session_id, granted.client_id, context.at)
        return self._decide(waiting, granted.person, grant_id, context)

    def deny(self, waiting: Waiting, user_id: str, context: Context) -> bool:
        """The person will not have it; in the caller's transaction. False as in ``allow``."""
        return self._decide(waiting, user_id, None, context)

    def _decide(
        self, waiting: Waiting, user_id: str, grant_id: str | None, context: Context
    ) -> bool:
        values = {"person": user_id, "granted": grant_id, "now": context.at}
        decided = db.session.execute(_DECIDE, {"request": waiting.id, **values}).one_or_none()
        return decided is not None
