"""Setting a new password by a link: asked for, looked at without effect, used once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Mail, Refused
from idp.factors.password import SAME, store
from idp.factors.rows import HELD, hold
from idp.models import User, db, release
from idp.passwords import Hasher, requirement_for
from idp.secrecy import digest
from idp.services.accounts import find_by_login
from idp.services.addresses import normalise_login
from idp.services.endings import end_everything
from idp.services.holdings import kinds_of
from idp.services.mail import Mailer
from idp.services.notices import notice
from idp.services.open_links import PASSWORD_RESET
from idp.services.passwords import Passwords
from idp.services.throttle import MAIL_WINDOW, Throttle, Wait
from idp.state import peek, put, supersede, take

PURPOSE = PASSWORD_RESET
PATH = "/login/reset/"
LIFETIME = MAIL_WINDOW
"""As long as asking is limited: whoever is not sent another mail holds one that works."""
LIFETIME_BY_HAND = timedelta(hours=24)
"""For a link that an administrator made. NIST SP 800-63B-4 allows a mailed code a day."""

GONE = Refused(
    "gone",
    "This link no longer works: it was used, or a newer one replaced it, or its time is over.",
    counts=False,
)


@dataclass(frozen=True, slots=True)
class Pending:
    """Whose password a link will set, and how many characters that needs.

    ``transaction_id`` is the sign-in during which it was asked for; ``first``: the person has no
    way to sign in yet, so that nothing is changed by it.
    """

    user: User
    minimum: int
    transaction_id: str | None = None
    first: bool = False


class PasswordReset:
    """Gives a person a new password, and nothing else: no session and no proof come of it.

    Whoever has used a link still has to sign in, with the second step where there is one.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        mailer: Mailer,
        throttle: Throttle,
        hasher: Hasher | None = None,
    ) -> None:
        self._passwords = Passwords(settings, hasher or Hasher(settings))
        self._mailer = mailer
        self._throttle = throttle

    def request(
        self, login_name: str, context: Context, *, transaction_id: str | None = None
    ) -> None:
        """Mail a link to whoever is called so. The work and the silence are the same for nobody.

        Only an address that was shown to be the person's is written to. Asking too often has no
        effect and is not told either: that, too, would tell something.
        """
        user = find_by_login(login_name)
        reserved = self._throttle.reserve_mail(
            PURPOSE, user=user, login_name=login_name, context=context
        )
        outcome = "throttled"
        if not isinstance(reserved, Wait):
            outcome = "requested"
            reachable = user is not None and user.disabled_at is None and user.email_verified
            self._send(
                user if reachable else None,
                login_name,
                LIFETIME,
                context,
                transaction_id=transaction_id,
            )
        audit.record(f"password.reset.{outcome}", context, user_id=user.id if user else None)
        db.session.commit()

    def send(self, user: User, context: Context, *, invited: bool = False) -> None:
        """Mail a link because an administrator says so, also to an address not yet verified."""
        self._send(user, user.email, LIFETIME_BY_HAND, context, invited=invited)
        audit.record("password.reset.mailed", context, user_id=user.id)
        db.session.commit()

    def link(self, user: User, context: Context) -> str:
        """A link for an administrator to hand over. It proves no mailbox."""
        url = self._url(self._put(user, None, LIFETIME_BY_HAND, context))
        audit.record("password.reset.printed", context, user_id=user.id)
        db.session.commit()
        return url

    def _send(
        self,
        user: User | None,
        login_name: str,
        lifetime: timedelta,
        context: Context,
        *,
        invited: bool = False,
        transaction_id: str | None = None,
    ) -> None:
        address = user.email if user else normalise_login(login_name) or ""
        handle = self._put(user, address, lifetime, context, transaction_id)
        values = {
            "url": self._url(handle),
            "minutes": int(lifetime.total_seconds()) // 60,
            "invited": invited,
        }
        mail = Mail("reset", address, values, not_after=context.at + lifetime)
        user_id = user.id if user else None
        self._mailer.queue(mail, now=context.at, user_id=user_id, decoy=user is None)

    def _put(
        self,
        user: User | None,
        address: str | None,
        lifetime: timedelta,
        context: Context,
        transaction_id: str | None = None,
    ) -> str:
        """The newest link of this person, and the only one. For nobody: one that opens nothing."""
        owner = user.id if user else digest(address or "")
        supersede(PURPOSE, owner, now=context.at)
        data = {
            "user_id": user.id if user else None,
            "address": address,
            "transaction_id": transaction_id,
        }
        return put(PURPOSE, data, now=context.at, lifetime=lifetime, owner=owner)

    def _url(self, handle: str) -> str:
        return self._mailer.url(f"{PATH}{handle}")

    def peek(self, token: str, now: datetime) -> Pending | None:
        """What the page of an opened link shows; the link stays as it is. None: of no use."""
        entry = peek(PURPOSE, token, now=now)
        user = _owner_of(entry)
        if entry is None or user is None:
            return None
        held = HELD.all({"user": user.id})
        required = requirement_for(kinds_of(held))
        return Pending(user, required.length, entry.get("transaction_id"), first=not held)

    def finish(self, token: str, new_password: str, context: Context) -> User | Refused:
        """Use the link up and set the password, in one transaction; ``GONE`` when it is too late.

        A password that will not do leaves the link as it was. Sessions and grants end with the old
        password, its counts of failures too, and the person is told by mail.
        """
        pending = _owner_of(peek(PURPOSE, token, now=context.at))
        held = HELD.all({"user": pending.id}) if pending else ()
        release()
        if pending is None:
            return GONE
        wrong = self._passwords.problem(new_password, pending, kinds_of(held))
        if wrong is not None:
            return Refused("rules", wrong, "new_password", counts=False)
        if self._passwords.is_the_one(new_password, held):
            return SAME
        hashed = self._passwords.hash(new_password)
        hold(pending.id)
        entry = take(PURPOSE, token, now=context.at)
        user = _owner_of(entry)
        if entry is None or user is None:
            db.session.commit()
            return GONE
        event = "Your password was changed." if held else "Your password was set."
        self._set(user, hashed, context, event, by_mail=entry["address"] is not None)
        db.session.commit()
        return user

    def _set(self, user: User, hashed: str, context: Context, event: str, *, by_mail: bool) -> None:
        store(user.id, hashed, context.at)
        self._throttle.reopen_password(user.id)
        # After the counts, as a proof under way has it, or the two wait for each other.
        end_everything(user.id, context=context, reason="password_reset")
        if by_mail and not user.email_verified:
            user.email_verified, user.updated_at = True, context.at
        audit.record("password.reset.finished", context, user_id=user.id, by_mail=by_mail)
        self._mailer.queue(
            notice(user, event, self._mailer.url("/me/security"), context),
            now=context.at,
            user_id=user.id,
        )


def _owner_of(entry: dict[str, Any] | None) -> User | None:
    """Whose link it is, as long as the account is open and the mail went where she still is."""
    if entry is None or entry["user_id"] is None:
        return None
    user = db.session.get(User, entry["user_id"], populate_existing=True)
    if user is None or user.disabled_at is not None:
        return None
    return user if entry["address"] in (None, user.email) else None
