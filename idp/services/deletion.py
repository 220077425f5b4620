"""Leaving for good: asked for, undone within two weeks, then done."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from idp import audit
from idp.audit import Context
from idp.factors.base import Refused
from idp.models import User, db, reading
from idp.services import administrators, belongings
from idp.services.addresses import normalise_email
from idp.services.endings import end_everything
from idp.services.notices import Notices

TIME_TO_UNDO: Final = timedelta(days=14)
BATCH: Final = 100

NOT_HER_ADDRESS = Refused(
    "not_confirmed", "Type the email address as it stands here.", "confirm_email", counts=False
)

LAST_ADMINISTRATOR = Refused(
    "last_administrator", administrators.LAST, "confirm_email", counts=False
)


class Deletion:
    """Marks accounts for deletion, takes it back, and deletes those whose time has come."""

    def __init__(self, *, notices: Notices) -> None:
        self._notices = notices

    def request(self, user: User, confirm_email: str, context: Context) -> Refused | None:
        """Sign the person out everywhere and delete the account in two weeks. Commits."""
        if not _is_address_of(user, confirm_email):
            return NOT_HER_ADDRESS
        if administrators.is_last(user.id):
            audit.record(
                "user.change.refused", context, user_id=user.id, reason="last_administrator"
            )
            db.session.commit()
            return LAST_ADMINISTRATOR
        user.deletion_due_at = context.at + TIME_TO_UNDO
        user.updated_at = context.at
        end_everything(user.id, context=context, reason="deletion")
        audit.record("user.deletion.requested", context, user_id=user.id)
        event = (
            f"Your account will be deleted on {user.deletion_due_at:%d %B %Y}. "
            "Sign in before then to keep it."
        )
        self._notices.tell(user, event, context)
        db.session.commit()
        return None

    def undo(self, user: User, context: Context) -> bool:
        """Keep the account; False when it was not to be deleted. Commits."""
        kept = user.deletion_due_at is not None
        if kept:
            user.deletion_due_at, user.updated_at = None, context.at
            audit.record("user.deletion.undone", context, user_id=user.id)
            self._notices.tell(user, "Your account will not be deleted.", context)
        db.session.commit()
        return kept

    def delete_due(self, now: datetime) -> int:
        """Delete those whose time has come; returns how many. For the clean-up.

        Commits after each, and wants a database session of its own. The row is locked and looked
        at again first: whoever has just undone it keeps the account.
        """
        due = (User.deletion_due_at.is_not(None), User.deletion_due_at <= now)
        with reading():
            ids = db.session.scalars(select(User.id).where(*due).limit(BATCH)).all()
        return sum(self._delete(user_id, now) for user_id in ids)

    def _delete(self, user_id: str, now: datetime) -> bool:
        user = db.session.scalar(
            select(User)
            .where(User.id == user_id, User.deletion_due_at <= now)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
        if user is not None:
            belongings.delete_person(user, Context(at=now), reason="asked_for")
        db.session.commit()
        return user is not None


def _is_address_of(user: User, typed: str) -> bool:
    try:
        return normalise_email(typed) == user.email
    except ValueError:
        return False
