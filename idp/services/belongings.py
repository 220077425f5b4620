"""What goes with a person, an application, a session or a grant that goes.

Foreign keys say so of whatever is written seldom. The rows that every sign-in writes have none: to
check one, PostgreSQL locks the row that it refers to, and so writes to the page of a person, of a
session, and of an application, which everybody who signs in to it would write to. So it is done
here, in the transaction in which they go.

What another transaction was writing meanwhile may be left over. That is nobody's: whoever reads a
grant, a token, a session or a transaction reads the person and the application along with it, and
finds nothing where there is none. It goes when it expires (``cleanup``).
"""

from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Table, delete, select

from idp import audit
from idp.audit import Context
from idp.models import (
    AccessToken,
    BrowserSession,
    Credential,
    Grant,
    RefreshToken,
    SessionClient,
    Transaction,
    User,
    db,
)
from idp.services.endings import end_everything

_credentials: Final = cast("Table", Credential.__table__)
_grants: Final = cast("Table", Grant.__table__)
_noted: Final = cast("Table", SessionClient.__table__)
_sessions: Final = cast("Table", BrowserSession.__table__)
_transactions: Final = cast("Table", Transaction.__table__)
_TOKENS: Final = tuple(cast("Table", one.__table__) for one in (AccessToken, RefreshToken))


def delete_person(user: User, context: Context, **told: Any) -> None:
    """Remove the person and all that is hers, in the caller's transaction; it is on record.

    Her credentials first: that waits for whoever is just signing in by one, whose session is then
    found with the others, and nobody can begin to after it.
    """
    db.session.execute(delete(_credentials).where(_credentials.c.user_id == user.id))
    end_everything(user.id, context=context, reason="deleted")
    audit.record("user.deleted", context, user_id=user.id, **told)
    db.session.flush()
    _grants_gone(_grants.c.user_id == user.id)
    db.session.execute(delete(_transactions).where(_transactions.c.user_id == user.id))
    db.session.execute(delete(_sessions).where(_sessions.c.user_id == user.id))
    db.session.delete(user)


def of_client(client_id: str) -> None:
    """Remove what an application of this id had, in the caller's transaction.

    For who deletes it, and for who makes one: what was left of another may not become its own.
    """
    _grants_gone(_grants.c.client_id == client_id)
    db.session.execute(delete(_noted).where(_noted.c.client_id == client_id))


def of_grants(ids: Sequence[str]) -> None:
    """Remove what these grants had bought, in the caller's transaction."""
    for tokens in _TOKENS:
        db.session.execute(delete(tokens).where(tokens.c.grant_id.in_(ids)))


def _grants_gone(which: ColumnElement[bool]) -> None:
    for tokens in _TOKENS:
        theirs = select(_grants.c.id).where(which)
        db.session.execute(delete(tokens).where(tokens.c.grant_id.in_(theirs)))
    db.session.execute(delete(_grants).where(which))
