"""Ending sessions from afar: the browser is signed out, and what apps got from it ends as well.

Whoever ends a session that is not in front of them has lost the device, or never knew it. So the
grants made there end too, refresh tokens and all; signing out where one is does not go that far.
"""

from collections.abc import Iterable

from sqlalchemy import select

from idp.audit import Context
from idp.models import BrowserSession, EvidenceRow, db, release
from idp.services import grants, open_links, sessions
from idp.services.outliving import end_with_session


def sign_out(session_id: str, *, user_id: str, context: Context, reason: str) -> bool:
    """End a session as its own person does, in front of it; no commit. False: it was over already.

    What she allowed apps to do while she is away goes on, unless a client's registration says
    that its refresh tokens end with the session.
    """
    if not sessions.end(session_id, user_id=user_id, context=context, reason=reason):
        return False
    end_with_session(session_id, user_id=user_id, context=context, reason=reason)
    return True


def end_session(session_id: str, *, user_id: str, context: Context, reason: str) -> bool:
    """End one session of this person with its grants; no commit. False when there is none such.

    With it goes what somebody else may have asked for in it: a link, a change of address.
    """
    open_links.end(user_id, context.at)
    return _end(session_id, user_id=user_id, context=context, reason=reason)


def _end(session_id: str, *, user_id: str, context: Context, reason: str) -> bool:
    if not sessions.end(session_id, user_id=user_id, context=context, reason=reason):
        return False
    grants.end_all(user_id=user_id, session_id=session_id, context=context, reason=reason)
    return True


def end_others(user_id: str, *, except_id: str, context: Context, reason: str) -> int:
    """End all of her sessions but one, pending ones included, in that way; returns how many.

    What was written before is committed: whoever holds a person must not have locked her session
    first.
    """
    release()
    open_links.end(user_id, context.at)
    others = db.session.scalars(
        select(BrowserSession.id).where(
            BrowserSession.user_id == user_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.id != except_id,
        )
    ).all()
    return _end_each(others, user_id, context, reason)


def end_resting_on(
    credential_id: str, *, user_id: str, except_id: str, context: Context, reason: str
) -> int:
    """End the other sessions in which this credential was used; returns how many."""
    resting = db.session.scalars(
        select(EvidenceRow.session_id)
        .join(BrowserSession, BrowserSession.id == EvidenceRow.session_id)
        .where(
            EvidenceRow.credential_id == credential_id,
            BrowserSession.user_id == user_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.id != except_id,
        )
        .distinct()
    ).all()
    return _end_each(resting, user_id, context, reason)


def _end_each(session_ids: Iterable[str], user_id: str, context: Context, reason: str) -> int:
    return sum(
        _end(session_id, user_id=user_id, context=context, reason=reason)
        for session_id in session_ids
    )
