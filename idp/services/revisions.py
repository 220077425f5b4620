"""Revisions of people: a change that was begun on what somebody changed since is refused."""

from sqlalchemy import update

from idp.models import User, db
from idp.services.stale import Stale


def claim(user: User, expected: int) -> None:
    """Take the revision that was looked at, in the caller's transaction, by one statement.

    Of any number who looked at the same one succeeds; the account is read anew for it. Raises
    ``Stale``, with nothing changed.
    """
    taken = db.session.scalar(
        update(User)
        .where(User.id == user.id, User.revision == expected)
        .values(revision=User.revision + 1)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        db.session.rollback()
        db.session.refresh(user)
        raise Stale
    db.session.refresh(user)
