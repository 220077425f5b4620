"""After a backup was restored: what has ended since it was made must not come back to life.

A backup knows nothing of the codes that were used, the sessions that were ended and the tokens
that were taken back after it. So whatever it holds that works once, or may have ended, ends here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, Update, delete, insert, select, update

from idp import audit
from idp.audit import Context
from idp.clock import LONG_AGO
from idp.factors import recovery_code, totp
from idp.models import (
    BrowserSession,
    DeviceRequest,
    Entry,
    Fact,
    Grant,
    OutboxMessage,
    RegistrationToken,
    Transaction,
    db,
)
from idp.services import sessions
from idp.services.mail import KIND

BATCH: Final = 500
"""Sessions that are ended at a time."""

EPOCH: Final = "restored"
"""The fact that says when this was done last."""


def begin_epoch(context: Context, *, keep_recovery_codes: bool = False) -> Mapping[str, int]:
    """End whatever a restored backup holds that may be over in truth; returns how much there was.

    Sessions, grants with all their tokens and codes, mailed links, sign-ins and requests under
    way, tokens that let applications register, mail that waits, and recovery codes but for
    ``keep_recovery_codes``; of an authenticator app the codes of this minute. Commits once: to
    be run before anything is served, and again if it was interrupted.
    """
    now = context.at
    ended = {"sessions": _sessions(context)}
    ended |= {name: _rows(statement) for name, statement in _endings(now).items()}
    totp.outrun(now)
    ended["recovery codes"] = 0 if keep_recovery_codes else recovery_code.withdraw_all(now)
    db.session.execute(delete(Fact).where(Fact.name == EPOCH))
    db.session.execute(insert(Fact).values(name=EPOCH, value="", at=now))
    audit.record("data.restored", context, ended=ended)
    db.session.commit()
    return ended


def _endings(now: datetime) -> Mapping[str, Update]:
    return {
        "grants": update(Grant).where(Grant.ended_at.is_(None)).values(ended_at=now),
        "single-use values": update(Entry).where(Entry.used_at.is_(None)).values(used_at=now),
        "sign-ins": update(Transaction)
        .where(Transaction.finished_at.is_(None), Transaction.expires_at > LONG_AGO)
        .values(expires_at=LONG_AGO),  # or a node whose clock is behind would go on with it
        "devices": update(DeviceRequest)
        .where(DeviceRequest.used_at.is_(None))
        .values(used_at=now, expires_at=now),
        "registration tokens": update(RegistrationToken)
        .where(RegistrationToken.uses_left > 0)
        .values(uses_left=0),
        # What is in them was sent already, or names a link that has ended with the rest.
        "mails": update(OutboxMessage)
        .where(
            OutboxMessage.kind == KIND,
            OutboxMessage.sent_at.is_(None),
            OutboxMessage.failed_at.is_(None),
        )
        .values(failed_at=now, payload="", last_error="restored from a backup"),
    }


def _sessions(context: Context) -> int:
    """As every other end of a session: on record, and told to whoever was signed in to."""
    ended, last = 0, ""
    while some := _living(after=last):
        hers: dict[str, list[str]] = {}
        for session_id, user_id in some:
            hers.setdefault(user_id, []).append(session_id)
        db.session.execute(
            update(BrowserSession)
            .where(BrowserSession.id.in_([session_id for session_id, _ in some]))
            .values(ended_at=context.at)
            .execution_options(synchronize_session=False)
        )
        for user_id, session_ids in hers.items():
            sessions.record_ended(session_ids, user_id, context, "restored")
        db.session.flush()
        db.session.expunge_all()  # there may be millions
        ended, last = ended + len(some), some[-1][0]
    return ended


def _living(*, after: str) -> Sequence[tuple[str, str]]:
    """Some sessions that have not been ended and their people, by id."""
    found = db.session.execute(
        select(BrowserSession.id, BrowserSession.user_id)
        .where(BrowserSession.ended_at.is_(None), BrowserSession.id > after)
        .order_by(BrowserSession.id)
        .limit(BATCH)
    )
    return [(session_id, user_id) for session_id, user_id in found]


def _rows(statement: Any) -> int:
    result = db.session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)  # noqa: S101  narrows the type
    return result.rowcount
