"""Whether a session still goes on, for whatever must not be done in one that has ended.

Whoever ends a session ends what came of it, but only what is committed: nobody sees the rest. So
what is written in a session locks its row, and waits for its end or makes that wait.
"""

from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, bindparam, select

from idp.models import BrowserSession, db
from idp.models.plain import Plain
from idp.secrecy import filed, new_secret_at
from idp.services.transactions import Overtaken

_sessions: Final = cast("Table", BrowserSession.__table__)

_THIS: Final = (_sessions.c.id == bindparam("session"), _sessions.c.ended_at.is_(None))
_GOING_ON: Final = select(_sessions.c.id).where(*_THIS).with_for_update(key_share=True)
_ROTATE: Final = Plain(
    _sessions.update()
    .where(*_THIS)
    .values(token_hash=bindparam("hash"), last_seen_at=bindparam("now"))
    .returning(_sessions.c.id)
)


def goes_on(session_id: str) -> bool:
    """Has nobody ended it? Then nobody does until the caller's transaction ends.

    On SQLite for one that has written already. To be asked after ``hold``, as those who end
    sessions do.
    """
    return db.session.execute(_GOING_ON, {"session": session_id}).one_or_none() is not None


def rotated(session_id: str, now: datetime) -> str:
    """Its new token, in the caller's transaction. Raises ``Overtaken`` when it was ended."""
    token = new_secret_at(now)
    if not _ROTATE.all({"session": session_id, "hash": filed(token), "now": now}):
        raise Overtaken
    return token
