"""The device's side of its request: it asks again and again, and is given the tokens once."""

from datetime import timedelta
from typing import Any, Final, cast

from sqlalchemy import Select, Table, bindparam, exists, select

from idp.audit import Context
from idp.models import DeviceRequest, Grant, db
from idp.protocol.client_metadata import ADMITS_NOBODY
from idp.protocol.errors import OAuthError
from idp.secrecy import digest
from idp.services import repeated
from idp.services.admission import is_for
from idp.services.binding import Binding
from idp.services.clients import RegisteredClient
from idp.services.granted import FIELDS, USER_IS_WELL, AnyRow
from idp.services.grants import Grants, Redeemed, replayed
from idp.services.tokens import refresh_binding
from idp.services.turned_away import IN_NO_GROUP, NOT_ALLOWED, denied

SLOWER: Final = 5
"""Seconds by which the interval grows with each poll that comes too soon (RFC 8628 section 3.5)."""

SLOWEST: Final = 60
"""And where it stops growing, so that what comes too soon from there on is no write."""

EARLY: Final = timedelta(seconds=1)
"""How much too soon is nobody's fault: clocks and networks are not that precise."""

_requests: Final = cast("Table", DeviceRequest.__table__)
_grants: Final = cast("Table", Grant.__table__)

_BY_CODE = select(_requests).where(_requests.c.device_hash == bindparam("hash"))
_GRANT: Final[Select[Any]] = select(*FIELDS).where(_grants.c.id == bindparam("granted"))

_HELD = (
    _grants.update()
    .where(_grants.c.id == bindparam("granted"))
    .values(cnf=bindparam("held", type_=_grants.c.cnf.type))
    .returning(*FIELDS)
)

# One conditional statement, so that of any number of polls at once one succeeds.
_CLAIM = (
    _requests.update()
    .where(
        _requests.c.device_hash == bindparam("hash"),
        _requests.c.client_id == bindparam("client"),
        _requests.c.used_at.is_(None),
        _requests.c.expires_at > bindparam("now"),
        exists().where(
            _grants.c.id == _requests.c.grant_id, _grants.c.ended_at.is_(None), USER_IS_WELL
        ),
    )
    .values(used_at=bindparam("now"))
    .returning(_requests.c.grant_id)
)

_POLLED = _requests.update().where(
    _requests.c.id == bindparam("request"), _requests.c.interval == bindparam("known")
)


class DevicePolling:
    """Answers polls (RFC 8628 section 3.4)."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    def redeem(
        self,
        device_code: str,
        *,
        client: RegisteredClient,
        resource: tuple[str, ...],
        context: Context,
        binding: Binding,
    ) -> Redeemed:
        """Exchange a device code that was allowed. Commits.

        Raises ``OAuthError``: ``authorization_pending`` and ``slow_down`` while nobody has decided,
        ``access_denied``, ``expired_token``; ``invalid_grant`` when the code is unknown, used, or
        another client's, or its person by now in none of the groups that the client is for, which
        leaves it as it was; ``invalid_target`` for a resource that was not granted. A second use
        ends the grant.
        """
        row = db.session.execute(_BY_CODE, {"hash": digest(device_code)}).one_or_none()
        if row is None or row.client_id != client.id:
            raise _refuse("unknown" if row is None else "of another client", client, context)
        if row.used_at is not None:
            raise _replay(row, context)
        if row.expires_at <= context.at:
            raise OAuthError("expired_token", "The device code has expired. Ask for another.")
        if row.decided_at is None:
            raise _not_yet(row, context)
        if row.grant_id is None:
            raise denied(NOT_ALLOWED)
        if client.metadata.admits == ADMITS_NOBODY:
            raise OAuthError("access_denied", "Nobody may use this application any more.")
        return self._claim(row, client, resource, context, binding)

    def _claim(
        self,
        row: AnyRow,
        client: RegisteredClient,
        resource: tuple[str, ...],
        context: Context,
        binding: Binding,
    ) -> Redeemed:
        values = {"hash": row.device_hash, "client": client.id, "now": context.at}
        claimed = db.session.execute(_CLAIM, values).one_or_none()
        if claimed is None:
            raise _not_claimed(row, client, context)
        held = {"granted": claimed.grant_id, "held": refresh_binding(client, binding).cnf}
        grant = db.session.execute(_HELD, held).one()
        if not is_for(client, grant.user_id):
            db.session.rollback()
            raise _refuse(IN_NO_GROUP, client, context)
        try:
            redeemed = self._grants.redeemed(grant, client, resource, context, binding=binding)
        except OAuthError:
            db.session.rollback()
            raise
        db.session.commit()
        return redeemed


def _not_yet(row: AnyRow, context: Context) -> OAuthError:
    """How long ago was the last poll? A write for each that comes in time, few for the others."""
    interval = timedelta(seconds=row.interval)
    if row.polled_at is None or context.at - row.polled_at >= interval - EARLY:
        _note(row, row.interval, context)
        return OAuthError("authorization_pending", "Nobody has decided yet.")
    if row.interval < SLOWEST:
        _note(row, row.interval + SLOWER, context)
    return OAuthError("slow_down", "Wait five seconds longer between two requests.")


def _note(row: AnyRow, interval: int, context: Context) -> None:
    values = {"polled_at": context.at, "interval": interval}
    db.session.execute(_POLLED.values(**values), {"request": row.id, "known": row.interval})
    db.session.commit()


def _not_claimed(row: AnyRow, client: RegisteredClient, context: Context) -> OAuthError:
    """Somebody else was first, or what was allowed is over."""
    again = db.session.execute(_BY_CODE, {"hash": row.device_hash}).one()
    if again.used_at is not None:
        return _replay(again, context)
    return _refuse("expired or ended", client, context)


def _replay(row: AnyRow, context: Context) -> OAuthError:
    grant = db.session.execute(_GRANT, {"granted": row.grant_id}).one()
    replayed(grant, context, what="device code")
    db.session.commit()
    return _invalid_grant()


def _refuse(reason: str, client: RegisteredClient, context: Context) -> OAuthError:
    repeated.record(
        "device.code.refused",
        context,
        alike=(client.id, reason),
        client_id=client.id,
        reason=reason,
    )
    db.session.commit()
    return _invalid_grant()


def _invalid_grant() -> OAuthError:
    return OAuthError(
        "invalid_grant", "The device code is unknown, used, or does not belong to this client."
    )
