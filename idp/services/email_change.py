"""Another e-mail address: a link to the new one, a way back from the old one.

Whoever has taken over an account changes its address first. So the old address is told when it is
asked for and when it is done, and for some days what it was sent puts it back and ends every
session. What was asked for ends with whatever ends or changes how she signs in (``open_links``).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from idp import audit
from idp.audit import Context
from idp.factors import magic_link
from idp.factors.base import Mail, Refused
from idp.factors.rows import hold
from idp.models import BrowserSession, User, db, release
from idp.services import kept, open_links, person_words, reset
from idp.services.accounts import find_by_login
from idp.services.addresses import normalise_email
from idp.services.endings import end_everything
from idp.services.mail import Mailer
from idp.services.notices import Notices
from idp.services.throttle import Throttle, Wait
from idp.state import peek, put, supersede, take

PURPOSE: Final = open_links.EMAIL_CHANGE
UNDO: Final = "email_undo"
PATH: Final = "/me/email/"
ASKED_PATH: Final = "/me/security/email"
UNDO_PATH: Final = "/me/email/undo/"
LIFETIME: Final = timedelta(hours=24)
UNDO_LIFETIME: Final = timedelta(days=7)

SAME = Refused("same", "That is your present address.", "email", counts=False)


@dataclass(frozen=True, slots=True)
class Change:
    """An opened link: whose address becomes ``to``, and what it is now."""

    user: User
    to: str


class EmailChange:
    """Asked for by the person, done by a link, undone by another."""

    def __init__(self, *, mailer: Mailer, throttle: Throttle, notices: Notices) -> None:
        self._mailer = mailer
        self._throttle = throttle
        self._notices = notices

    def request(
        self, user: User, email: str, context: Context, *, session_id: str
    ) -> Refused | Wait | None:
        """Mail a link to the new address, and tell the present one. Commits.

        An address that has an account already gets a word about that instead, and the page says
        the same: nobody learns here who has an account. ``session_id`` is where it is asked for:
        where everything of hers was ended meanwhile, nothing is mailed.
        """
        try:
            address = normalise_email(email)
        except ValueError as error:
            return Refused("not_an_address", str(error), "email", counts=False)
        if address == user.email:
            return SAME
        release()  # whoever holds a person must not have locked her session first
        reserved = self._throttle.reserve_mail(PURPOSE, user=user, login_name=None, context=context)
        hold(user.id)
        if not isinstance(reserved, Wait) and _is_open(session_id):
            self._send(user, address, context)
            self._tell(user, address, context)
            audit.record("email.change.requested", context, user_id=user.id, address_wanted=address)
        db.session.commit()
        return reserved if isinstance(reserved, Wait) else None

    def _send(self, user: User, address: str, context: Context) -> None:
        taken = find_by_login(address) is not None
        supersede(PURPOSE, user.id, now=context.at)
        data = {"user_id": user.id, "from": user.email, "to": address}
        handle = put(PURPOSE, data, now=context.at, lifetime=LIFETIME, owner=user.id)
        values = {
            "url": self._mailer.url("/login/" if taken else f"{PATH}{handle}"),
            "minutes": int(LIFETIME.total_seconds()) // 60,
            "address": address,
            "change": True,
        }
        template = "address_taken" if taken else "verify"
        mail = Mail(template, address, values, not_after=context.at + LIFETIME)
        self._mailer.queue(mail, now=context.at, user_id=user.id)

    def _tell(self, user: User, address: str, context: Context) -> None:
        event = f"Your email address is to change to {address}."
        self._notices.tell(user, event, context, path=ASKED_PATH, remedy="stop")

    def pending(self, user: User, now: datetime) -> str | None:
        """The address that a link was sent to and that has not opened it yet."""
        found = kept.find(PURPOSE, user.id, now)
        return str(found["to"]) if found and found["from"] == user.email else None

    def forget(self, user: User, context: Context) -> None:
        """The link shall do nothing any more. Commits."""
        if kept.claim(PURPOSE, user.id, context.at):
            audit.record("email.change.forgotten", context, user_id=user.id)
        db.session.commit()

    def peek(self, token: str, now: datetime) -> Change | None:
        """What the page of an opened link shows; the link stays as it is. None: of no use."""
        return _change(peek(PURPOSE, token, now=now)) if token.isascii() else None

    def confirm(self, token: str, context: Context) -> Change | Refused:
        """Use the link: the address changes, and the old one is told and may undo it. Commits."""
        change = self._taken(token, context.at)
        old = change.user.email if change else ""
        if change is None or not _moved(change.user, change.to, context.at):
            db.session.commit()
            return reset.GONE
        user = change.user
        _withdraw_links(user, context.at)
        data = {"user_id": user.id, "from": change.to, "to": old}
        handle = put(UNDO, data, now=context.at, lifetime=UNDO_LIFETIME, owner=user.id)
        audit.record("email.changed", context, user_id=user.id, previously=old, now=change.to)
        self._notices.tell(
            user,
            f"Your email address was changed to {change.to}.",
            context,
            path=f"{UNDO_PATH}{handle}",
            to=old,
            remedy="undo",
        )
        db.session.commit()
        return change

    def _taken(self, token: str, now: datetime) -> Change | None:
        """What the link says, claimed; whatever ends it has ended it before, or waits."""
        opened = self.peek(token, now)
        if opened is None:
            return None
        hold(opened.user.id)
        return _change(take(PURPOSE, token, now=now))

    def peek_undo(self, token: str, now: datetime) -> Change | None:
        """The same for the link that takes the change back."""
        return _undone(peek(UNDO, token, now=now)) if token.isascii() else None

    def undo(self, token: str, context: Context) -> Change | Refused:
        """Put the old address back, whatever it is now, and end everything. Commits.

        Every other way back ends with it: whoever changed the address must not have one.
        """
        opened = self.peek_undo(token, context.at)
        if opened is not None:
            hold(opened.user.id)
        change = _undone(take(UNDO, token, now=context.at)) if opened else None
        taken_from = change.user.email if change else ""
        if change is None or not _moved(change.user, change.to, context.at):
            db.session.commit()
            return reset.GONE
        user = change.user
        supersede(UNDO, user.id, now=context.at)
        end_everything(user.id, context=context, reason="email_undone")
        audit.record("email.change.undone", context, user_id=user.id, previously=taken_from)
        self._notices.tell(user, "Your email address was put back.", context)
        db.session.commit()
        return change


def _change(entry: dict[str, Any] | None) -> Change | None:
    """As long as the account is open and its address is still the one it was."""
    change = _undone(entry)
    return change if change and entry and change.user.email == entry["from"] else None


def _undone(entry: dict[str, Any] | None) -> Change | None:
    if entry is None:
        return None
    user = db.session.get(User, entry["user_id"], populate_existing=True)
    return Change(user, entry["to"]) if user is not None and user.disabled_at is None else None


def _is_open(session_id: str) -> bool:
    """Whether the session has not been ended, as the table says by now."""
    still = select(BrowserSession.id).where(
        BrowserSession.id == session_id, BrowserSession.ended_at.is_(None)
    )
    return db.session.scalar(still) is not None


def _moved(user: User, address: str, now: datetime) -> bool:
    """Write the address; False when somebody else has it by now."""
    old = user.email
    try:
        with db.session.begin_nested():
            user.email, user.email_verified, user.updated_at = address, True, now
            person_words.keep(user)
    except IntegrityError:
        db.session.refresh(user)
        return False
    return old != address


def _withdraw_links(user: User, now: datetime) -> None:
    """Whatever went to the mailbox that was hers is over."""
    magic_link.withdraw(user.id, now)
    supersede(reset.PURPOSE, user.id, now=now)
