"""Accounts that people make for themselves: the address first, the account once it is shown."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Mail, Refused
from idp.factors.password import Password
from idp.models import User, db, release
from idp.passwords import ALONE, Hasher
from idp.secrecy import digest
from idp.services import accounts
from idp.services.accounts import find_by_login
from idp.services.addresses import NOT_AN_ADDRESS, normalise_email
from idp.services.invalid import Invalid
from idp.services.mail import Mailer
from idp.services.methods import in_use
from idp.services.passwords import Passwords
from idp.services.reset import GONE
from idp.services.throttle import Throttle, Wait
from idp.state import peek, put, supersede, take

PURPOSE = "registration"
PATH = "/login/verify/"
LIFETIME = timedelta(hours=24)


class Closed(Exception):
    """People cannot register here: ``registration`` is off."""


@dataclass(frozen=True, slots=True)
class Verified:
    """An address whose link was opened, and how many characters the password needs.

    None: a password is not in use here, and none is asked for. ``transaction_id`` is the sign-in
    during which it was asked for.
    """

    email: str
    minimum: int | None
    transaction_id: str | None


class Registration:
    """An account exists from the moment the mailed link is used, and not before.

    So nobody can take an address that is not theirs, and no password of an unproved person is kept.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        mailer: Mailer,
        throttle: Throttle,
        hasher: Hasher | None = None,
    ) -> None:
        self._settings = settings
        self._passwords = Passwords(settings, hasher or Hasher(settings))
        self._mailer = mailer
        self._throttle = throttle

    def request(
        self, email: str, context: Context, *, transaction_id: str | None = None
    ) -> Refused | None:
        """Mail a link to this address, or, where it has an account, a word that it does.

        Both are the same work and the same silence. Refused only when it is no address at all.
        Raises ``Closed``.
        """
        self._insist_on_open()
        try:
            address = normalise_email(email)
        except ValueError:
            return Refused("not_an_address", NOT_AN_ADDRESS, "username", counts=False)
        user = find_by_login(address)
        reserved = self._throttle.reserve_mail(
            PURPOSE, user=None, login_name=address, context=context
        )
        outcome = "throttled"
        if not isinstance(reserved, Wait):
            outcome = "requested"
            self._send(address, user, transaction_id, context)
        audit.record(f"registration.{outcome}", context, user_id=user.id if user else None)
        db.session.commit()
        return None

    def _send(
        self, address: str, user: User | None, transaction_id: str | None, context: Context
    ) -> None:
        owner = digest(address)
        supersede(PURPOSE, owner, now=context.at)
        data = {"email": address, "transaction_id": transaction_id}
        handle = put(PURPOSE, data, now=context.at, lifetime=LIFETIME, owner=owner)
        values = {
            "url": self._mailer.url(f"{PATH}{handle}" if user is None else "/login/"),
            "minutes": int(LIFETIME.total_seconds()) // 60,
            "address": address,
        }
        template = "verify" if user is None else "account_exists"
        mail = Mail(template, address, values, not_after=context.at + LIFETIME)
        self._mailer.queue(mail, now=context.at, user_id=user.id if user else None)

    def peek(self, token: str, now: datetime) -> Verified | None:
        """What the page of an opened link shows; the link stays as it is. None: of no use."""
        entry = peek(PURPOSE, token, now=now) if self._settings.registration else None
        return self._verified(entry) if entry else None

    def finish(
        self, token: str, *, name: str, new_password: str, context: Context
    ) -> User | Refused:
        """Use the link up and make the account, in one transaction; ``GONE`` when it is too late.

        The person then signs in. Raises ``Invalid`` for a name or a password that will not do,
        which leave the link as it was, and ``Closed``.
        """
        self._insist_on_open()
        entry = peek(PURPOSE, token, now=context.at)
        release()
        if entry is None:
            return GONE
        user, _ = accounts.new_user(
            {"email": entry["email"], "email_verified": True, "name": name}, context
        )
        hashed = None
        if in_use(Password, self._settings):
            self._passwords.check(new_password, user, field="new_password")
            hashed = self._passwords.hash(new_password)
        if take(PURPOSE, token, now=context.at) is None:
            db.session.commit()
            return GONE
        try:
            accounts.insert(user, (), context, hashed=hashed)
        except Invalid:
            db.session.commit()  # somebody made the account meanwhile: the link is used up
            return GONE
        db.session.commit()
        return user

    def _insist_on_open(self) -> None:
        if not self._settings.registration:
            raise Closed

    def _verified(self, entry: dict[str, Any]) -> Verified:
        minimum = ALONE.length if in_use(Password, self._settings) else None
        return Verified(entry["email"], minimum, entry["transaction_id"])
