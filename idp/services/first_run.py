"""The first administrator: made by a link that the server prints as long as there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, select

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Factor, Proof, Refused
from idp.factors.password import KIND as PASSWORD
from idp.models import User, db, release
from idp.passwords import EMPTY, Hasher
from idp.services import accounts
from idp.services.invalid import Invalid
from idp.services.passwords import Passwords
from idp.services.reset import GONE
from idp.services.roles import ADMINISTRATOR
from idp.services.sessions import Sessions
from idp.services.sign_in_told import OPENED
from idp.state import mark, peek, put, take

PURPOSE: Final = "first_administrator"
PATH: Final = "/login/first/"
LIFETIME: Final = timedelta(hours=1)
"""A link lies in the log of whoever started the server; starting anew prints another."""
_CLAIM: Final = timedelta(minutes=10)
"""How long it is remembered that somebody took the place, so that of two links one does."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The first administrator, and the token of her session: the password was just typed."""

    user: User
    session_id: str
    session_token: str


class FirstRun:
    """Links are worth something only until anybody administers; each is used once."""

    def __init__(
        self,
        settings: Settings,
        *,
        factors: Mapping[str, Factor],
        sessions: Sessions,
        hasher: Hasher | None = None,
    ) -> None:
        self._issuer = settings.issuer
        self._passwords = Passwords(settings, hasher or Hasher(settings))
        self._factors = factors
        self._sessions = sessions

    def link(self, context: Context) -> str | None:
        """A new link, for whoever runs the server; None when somebody administers already."""
        if _somebody_administers():
            release()
            return None
        token = put(PURPOSE, {}, now=context.at, lifetime=LIFETIME)
        audit.record("administrator.link.made", context)
        db.session.commit()
        return f"{self._issuer}{PATH}{token}"

    def is_open(self, token: str, now: datetime) -> bool:
        """Is this a link that can still be used? It stays as it is."""
        return peek(PURPOSE, token, now=now) is not None and not _somebody_administers()

    def finish(
        self,
        token: str,
        *,
        email: str,
        name: str,
        new_password: str,
        transaction_id: str,
        context: Context,
    ) -> Begun | Refused:
        """Use the link up and make the administrator, signed in; ``GONE`` when it is too late.

        The password that was typed counts as the first proof of the sign-in ``transaction_id``.

        Whoever holds the link runs the server: the address counts as verified. Raises ``Invalid``
        for what will not do, which leaves the link as it was.
        """
        if not self.is_open(token, context.at):
            return GONE
        release()
        user, hashed = self._read(email, name, new_password, context)
        if not self._claim(token, context.at):
            db.session.commit()
            return GONE
        accounts.insert(user, (), context, hashed=hashed)
        audit.record("administrator.made", context, user_id=user.id)
        db.session.commit()
        return self._signed_in(user, new_password, transaction_id, context)

    def _read(self, email: str, name: str, new_password: str, context: Context) -> tuple[User, str]:
        try:
            user, _ = accounts.new_user(
                {"email": email, "email_verified": True, "name": name, "role": ADMINISTRATOR},
                context,
            )
        except Invalid as wrong:  # all of it at once: without an address no password is judged
            left_empty = {} if new_password else {"new_password": EMPTY}
            raise Invalid(wrong.problems | left_empty) from wrong
        if accounts.find_by_login(user.email) is not None:
            raise Invalid({"email": accounts.TAKEN["email"]})
        self._passwords.check(new_password, user, field="new_password")
        release()
        return user, self._passwords.hash(new_password)

    def _claim(self, token: str, now: datetime) -> bool:
        """By one statement for the link, and one for the place: there may be several links.

        Of two that come at once with a link each, the second waits at the mark until the first
        has committed, and then finds it taken.
        """
        if take(PURPOSE, token, now=now) is None or _somebody_administers():
            return False
        return mark(PURPOSE, "taken", now=now, lifetime=_CLAIM) and not _somebody_administers()

    def _signed_in(self, user: User, password: str, transaction_id: str, context: Context) -> Begun:
        """A session that stands on the password alone: the console asks for a passkey next."""
        proof = self._factors[PASSWORD].verify(user, {}, {"password": password}, context.at)
        if not isinstance(proof, Proof):
            raise TypeError("a password that was just set was not accepted")
        session_id = self._sessions.start(user.id, persistent=False, context=context)
        self._sessions.add(
            session_id, proof, method=PASSWORD, transaction_id=transaction_id, now=context.at
        )
        audit.record(
            f"login.{PASSWORD}.accepted",
            context,
            user_id=user.id,
            session_id=session_id,
            session=OPENED,
        )
        token = self._sessions.rotate(session_id, context.at)
        db.session.commit()
        return Begun(user, session_id, token)


def _somebody_administers() -> bool:
    # Both: the index holds only those who have a role.
    held = select(User.id).where(
        User.role.is_not(None), User.role == ADMINISTRATOR, User.disabled_at.is_(None)
    )
    return bool(db.session.scalar(select(exists(held))))
