"""How grants end, with all that they bought."""

from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, bindparam

from idp import audit
from idp.audit import Context
from idp.models import Grant, db
from idp.services.granted import AnyRow

_grants: Final = cast("Table", Grant.__table__)

_END = (
    _grants.update()
    .where(_grants.c.id == bindparam("grant"), _grants.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)


def replayed(row: AnyRow, context: Context, *, what: str) -> None:
    """Something that works once was used again: whoever has it, the grant is over. No commit."""
    end_grant(row.id, context.at)
    audit.record(
        "token.replayed",
        context,
        user_id=row.user_id,
        client_id=row.client_id,
        session_id=row.session_id,
        what=what,
    )


def end_grant(grant_id: str, now: datetime) -> None:
    """End a grant with all that it bought, in the caller's transaction."""
    db.session.execute(_END, {"grant": grant_id, "now": now})


def end_all(
    *,
    context: Context,
    user_id: str | None = None,
    client_id: str | None = None,
    session_id: str | None = None,
    reason: str = "all",
) -> int:
    """End every grant that all the given ids name, in the caller's transaction; returns how many.

    Raises ``ValueError`` when none is given, and for a session alone: no index finds its grants but
    by whose they are.
    """
    named = {"user_id": user_id, "client_id": client_id, "session_id": session_id}
    criteria = [_grants.c[name] == value for name, value in named.items() if value is not None]
    if user_id is None and client_id is None:
        raise ValueError("whose grants?")
    ended = db.session.execute(
        _grants.update()
        .where(*criteria, _grants.c.ended_at.is_(None))
        .values(ended_at=context.at)
        .returning(_grants.c.id)
    ).all()
    if ended:
        audit.record("grant.ended", context, **named, reason=reason, count=len(ended))
    return len(ended)
