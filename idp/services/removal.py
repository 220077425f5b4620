"""Giving up a way to sign in, or calling it something else."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, update

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.factors.base import LEFT_EMPTY, Refused
from idp.factors.password import KIND as PASSWORD
from idp.factors.password import store
from idp.factors.rows import delete_all, hold
from idp.models import Credential, User, db, release
from idp.passwords import Hasher
from idp.protocol.text import is_displayable
from idp.services import open_links
from idp.services.enrolment import Enrolment
from idp.services.holdings import Holdings, Loss, credentials_of, kinds_of
from idp.services.notices import Notices, sentence
from idp.services.passwords import Passwords
from idp.services.sessions import Live
from idp.services.signing_out import end_resting_on

LONGEST_NAME: Final = 60

NOT_HERS = Refused("unknown", "There is no such thing here.", counts=False)
LAST_WAY = Refused(
    "last_way",
    "This is your only way to sign in. Add another one first, then you can delete it.",
    counts=False,
)
NO_PASSWORD = Refused(LEFT_EMPTY, "Enter your password from now on.", "new_password", counts=False)
"""She may type the one she has: so it is not called a new one."""
BAD_NAME = Refused(
    "name", f"Give it a name of at most {LONGEST_NAME} characters.", "name", counts=False
)


@dataclass(frozen=True, slots=True)
class Removed:
    """What is gone, and what went with it."""

    method: str
    label: str | None
    loss: Loss


class Removal:
    """Deletes and renames credentials of people whose demand has been met."""

    def __init__(
        self,
        settings: Settings,
        *,
        holdings: Holdings,
        enrolment: Enrolment,
        notices: Notices,
        hasher: Hasher | None = None,
    ) -> None:
        self._holdings = holdings
        self._enrolment = enrolment
        self._notices = notices
        self._passwords = Passwords(settings, hasher or Hasher(settings))

    def remove(
        self,
        user: User,
        method: str,
        credential_id: str,
        *,
        live: Live,
        context: Context,
        new_password: str = "",
    ) -> Removed | Refused:
        """Delete one credential; the other sessions that it was used in end. Commits.

        ``new_password`` is needed where the password is to stand alone from here on. The person
        is held while it is looked at what would be left, so that two requests at once cannot
        take away the last two ways.
        """
        lost = _hers(user, method, credential_id)
        if lost is None or method in self._holdings.last_resorts:
            return NOT_HERS
        hashed = None
        if self._loss(user, lost).password_minimum is not None:
            if not new_password:
                return NO_PASSWORD
            wrong = self._passwords.problem(new_password, user, self._kinds_left(user, lost))
            if wrong is not None:
                return Refused("rules", wrong, "new_password", counts=False)
            release()
            hashed = self._passwords.hash(new_password)
        hold(user.id)
        outcome = self._remove(user, lost, live, context, hashed)
        db.session.commit()
        return outcome

    def _loss(self, user: User, lost: Credential) -> Loss:
        return self._holdings.loss(user, lost, credentials_of(user))

    def _kinds_left(self, user: User, lost: Credential) -> set[str]:
        rest = [one for one in credentials_of(user) if one.id != lost.id]
        return kinds_of(rest) - set(self._holdings.last_resorts)

    def _remove(
        self, user: User, lost: Credential, live: Live, context: Context, hashed: str | None
    ) -> Removed | Refused:
        loss = self._loss(user, lost)
        if loss.is_last_way:
            audit.record(f"{lost.kind}.refused", context, user_id=user.id, reason=LAST_WAY.reason)
            return LAST_WAY
        if loss.password_minimum is not None and hashed is None:
            return Refused("changed", "Something changed meanwhile. Please try again.")
        if not _delete(lost):
            return NOT_HERS
        if hashed is not None:
            store(user.id, hashed, context.at)
            self._record(user, PASSWORD, "replaced", None, live, context)
        self._record(user, lost.kind, "removed", lost.label, live, context)
        open_links.end(user.id, context.at)
        if hashed is not None or lost.kind == PASSWORD:
            self._enrolment.secret_changed(user, context.at)
        if loss.ends_second_step:
            self._end_last_resorts(user, live, context)
        self._enrolment.forget(lost.kind, session_id=live.id, now=context.at)
        end_resting_on(
            lost.id, user_id=user.id, except_id=live.id, context=context, reason="removed"
        )
        return Removed(lost.kind, lost.label, loss)

    def _end_last_resorts(self, user: User, live: Live, context: Context) -> None:
        held = {one.kind for one in credentials_of(user)}
        for method in self._holdings.last_resorts:
            if method in held:
                delete_all(user.id, method)
                self._record(user, method, "removed", None, live, context)

    def _record(
        self,
        user: User,
        method: str,
        action: str,
        label: str | None,
        live: Live,
        context: Context,
    ) -> None:
        audit.record(
            f"{method}.{action}",
            context,
            user_id=user.id,
            session_id=live.id,
            label=label,
            user_agent=context.user_agent,
        )
        self._notices.tell(user, sentence(method, action, label), context)

    def rename(
        self,
        user: User,
        method: str,
        credential_id: str,
        name: str,
        *,
        live: Live,
        context: Context,
    ) -> str | Refused:
        """Give a named credential another name; returns it. Commits."""
        wanted = " ".join(name.split())
        if len(wanted) > LONGEST_NAME or not is_displayable(wanted):
            return BAD_NAME
        renamed = db.session.scalar(
            update(Credential)
            .where(
                Credential.id == credential_id,
                Credential.user_id == user.id,
                Credential.kind == method,
                Credential.label.is_not(None),
            )
            .values(label=wanted)
            .returning(Credential.id)
        )
        if renamed is None:
            return NOT_HERS
        audit.record(
            f"{method}.renamed", context, user_id=user.id, session_id=live.id, label=wanted
        )
        db.session.commit()
        return wanted


def _hers(user: User, method: str, credential_id: str) -> Credential | None:
    """One of her credentials that is still of use."""
    return next(
        (
            one
            for one in credentials_of(user)
            if one.id == credential_id and one.kind == method and one.used_at is None
        ),
        None,
    )


def _delete(lost: Credential) -> bool:
    gone = db.session.scalar(
        delete(Credential).where(Credential.id == lost.id).returning(Credential.id)
    )
    return gone is not None
