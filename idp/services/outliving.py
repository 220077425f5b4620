"""Which grants outlive a session that its own person has signed out of."""

from typing import Final, cast

from sqlalchemy import ColumnElement, Table, exists, literal

from idp import audit
from idp.audit import Context
from idp.models import Client, Grant, db

_grants: Final = cast("Table", Grant.__table__)


def end_with_session(session_id: str, *, user_id: str, context: Context, reason: str) -> int:
    """End what a session leaves behind when it is signed out of; returns how many grants.

    What was allowed for while the person is away (``offline_access``) stays, unless the client is
    registered with ``refresh_token_ends_with_session`` (Back-Channel Logout 1.0 section 2.7). A
    code that was not redeemed yet ends in any case. In the caller's transaction.
    """
    redeemed = _grants.c.code_hash.is_(None) | _grants.c.code_used_at.is_not(None)
    stays = redeemed & _is_offline() & ~_ends_with_session()
    ended = db.session.execute(
        _grants.update()
        .where(_grants.c.user_id == user_id, _grants.c.session_id == session_id)
        .where(_grants.c.ended_at.is_(None), ~stays)
        .values(ended_at=context.at)
        .returning(_grants.c.id)
    ).all()
    if ended:
        about = {"user_id": user_id, "client_id": None, "session_id": session_id}
        audit.record("grant.ended", context, **about, reason=reason, count=len(ended))
    return len(ended)


def _is_offline() -> ColumnElement[bool]:
    padded = literal(" ") + _grants.c.scope + " "
    return padded.contains(" offline_access ", autoescape=True)


def _ends_with_session() -> ColumnElement[bool]:
    return exists().where(
        Client.id == _grants.c.client_id,
        Client.registration["refresh_token_ends_with_session"].as_boolean(),
    )
