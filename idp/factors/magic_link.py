"""A link and a six-digit code in one mail: using either ends both.

Both stand for one single-use value. The link works by a POST in the browser that asked; opened
anywhere else it shows the code to type in the first browser (``read_link``). Opening it signs
nobody in, so that a mail scanner spends nothing.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import select

from idp.assurance import MAILBOX, Offer, Trait
from idp.factors.base import (
    ANY_WAY,
    LEFT_EMPTY,
    NOTHING,
    Answer,
    Ceremony,
    Enrolled,
    Mail,
    Proof,
    Refused,
    Task,
    Tools,
    Wish,
)
from idp.factors.rows import hold
from idp.factors.tries import allow_tries, has_tries, spend_try
from idp.factors.typed import six_digits
from idp.models import Credential, User, db
from idp.secrecy import Unreadable
from idp.state import peek, put, supersede, take

PURPOSE = "sign_in_link"
LIFETIME = timedelta(minutes=10)
"""NIST SP 800-63B-4 and OWASP ASVS 6.5.5: an out-of-band secret lives ten minutes at most."""
TRIES = 5
"""Guesses at one mail's code: five in a million."""
RESEND_AFTER = timedelta(seconds=60)
LINK_PATH = "/login/link/"
NOWHERE = "nobody@invalid"
"""Where a decoy goes: no address at all (RFC 6761 §6.4), whatever was typed."""

_GONE = Refused(
    "expired",
    "That no longer works: it was used, a newer mail replaced it, or ten minutes have passed. "
    "Ask for a new mail.",
    counts=False,
)
_EMPTY = Refused(
    LEFT_EMPTY, "Enter the 6-digit code from the mail.", "code", counts=False, spent=False
)
_MALFORMED = Refused(
    "malformed", "The code has 6 digits. Check it and try again.", "code", spent=False
)
_WRONG = Refused(
    "wrong", "That code is not right. Use the one from the newest mail.", "code", spent=False
)
_TOO_MANY = Refused(
    "too_many_tries",
    "That was one try too many for this code. Open the link in the mail, or ask for a new mail.",
    "code",
    counts=False,
    spent=False,
)
_ELSEWHERE = Refused(
    "other_browser",
    "This link belongs to another browser. Go back to where you started and type the code there.",
    counts=False,
    spent=False,
)
_NO_SETUP = Refused("not_enrolable", "Sign-in links need no setting up.", counts=False)


@dataclass(frozen=True, slots=True)
class Link:
    """What the page of an opened link shows. ``code`` is None once it was guessed at too often."""

    transaction_id: str
    app: str | None
    address: str
    """Masked."""
    started: datetime
    user_agent: str
    code: str | None


class MagicLink:
    """Proves the mailbox, for everybody whose address is verified; it has no credential."""

    name: ClassVar[str] = "magic_link"
    can_prove: ClassVar[frozenset[Trait]] = MAILBOX.proves
    enrolable: ClassVar[bool] = False
    answer_fields: ClassVar[frozenset[str]] = frozenset({"code", "token"})
    names_its_user: ClassVar[bool] = False
    phrase: ClassVar[str] = "a link or code from your email"
    on_request: ClassVar[bool] = True

    def __init__(self, tools: Tools) -> None:
        self._box = tools.box
        self._issuer = tools.settings.issuer
        self._mails = tools.settings.mails

    def offers(self, user: User | None, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        """The mailbox, where mails are sent and the address was shown to be the person's."""
        reachable = self._mails and (user is None or _reachable(user))
        return (Offer(self.name, self.can_prove),) if reachable else ()

    def begin(self, user: User | None, task: Task, now: datetime) -> Ceremony:
        """Make the value and the mail; older ones end.

        For who cannot be reached it makes a value that opens nothing and a mail that is a decoy:
        the page, the state and the work are the same.
        """
        person = user if user is not None and _reachable(user) else None
        address = task.login_name or (user.email if user is not None else "")
        code = f"{secrets.randbelow(1_000_000):06}"
        handle = self._put(person, address, code, task, now)
        return Ceremony(
            public={"address": address, "wait": int(RESEND_AFTER.total_seconds())},
            secret={"link": self._box.seal(handle), "transaction_id": task.transaction_id},
            mail=self._mail(person, handle, code, task, now),
        )

    def _put(self, person: User | None, address: str, code: str, task: Task, now: datetime) -> str:
        owner = person.id if person else self._nobody(address)
        data = {
            "user_id": person.id if person else None,
            "address": person.email if person else None,
            "transaction_id": task.transaction_id,
            "app": task.app,
            "user_agent": task.user_agent,
            "started": now.isoformat(),
            # Readable again, because the page of a link opened elsewhere shows it.
            "code": self._box.seal(code),
        }
        hold(owner)
        supersede(PURPOSE, owner, now=now)
        handle = put(PURPOSE, data, now=now, lifetime=LIFETIME, owner=owner)
        allow_tries(handle, now=now, lifetime=LIFETIME)
        return handle

    def _nobody(self, address: str) -> str:
        """Whose a value is when the address is nobody's; the same for every spelling of it."""
        # ascii(): what was typed may hold what no encoding can write.
        return self._box.keyed_digest(PURPOSE, ascii(address.strip().casefold()))

    def _mail(self, person: User | None, handle: str, code: str, task: Task, now: datetime) -> Mail:
        values = {
            "url": f"{self._issuer}{LINK_PATH}{handle}",
            "code": code,
            "minutes": int(LIFETIME.total_seconds()) // 60,
            "app": task.app,
            "started": now,
            "device": task.user_agent or None,
        }
        return Mail(
            "sign_in",
            person.email if person else NOWHERE,
            values,
            not_after=now + LIFETIME,
            decoy=person is None,
        )

    def verify(
        self, user: User | None, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Proof | Refused:
        """Judge ``token`` (the link, opened where it was asked for) or ``code``."""
        if token := answer.get("token"):
            return self._redeem(token, user, secret, now)
        typed = answer.get("code", "")
        if not typed.strip():
            return _EMPTY
        code = six_digits(typed)
        if code is None:
            return _MALFORMED
        handle = self._open(secret.get("link", "")) or ""
        entry = _look_up(handle, now)
        if entry is None:
            return _GONE
        if not spend_try(handle, of=TRIES):
            return _TOO_MANY
        if not hmac.compare_digest(self._open(entry["code"]) or "", code):
            return _WRONG
        return self._redeem(handle, user, secret, now)

    def _redeem(
        self, handle: str, user: User | None, secret: Mapping[str, Any], now: datetime
    ) -> Proof | Refused:
        """Claim the value that the link and the code both stand for."""
        entry = _look_up(handle, now)
        if entry is None:
            return _GONE
        if entry["transaction_id"] != secret.get("transaction_id"):
            return _ELSEWHERE
        if user is not None and user.id != entry["user_id"]:
            return _GONE
        # Looked up once it is claimed: what changes the address withdraws the value first.
        if take(PURPOSE, handle, now=now) is None or (user_id := _present_owner(entry)) is None:
            return _GONE
        return Proof(user_id, None, MAILBOX.proves, MAILBOX.amr)

    def _open(self, sealed: str) -> str | None:
        """A sealed text; None for none, or when its key is gone."""
        try:
            text: str = self._box.open(sealed)
        except Unreadable:
            return None
        return text

    def read_link(self, token: str, now: datetime) -> Link | None:
        """What to show of an opened link, which stays as it is; None when it is of no use."""
        entry = _look_up(token, now)
        if entry is None or _present_owner(entry) is None:
            return None
        return Link(
            transaction_id=entry["transaction_id"],
            app=entry["app"],
            address=masked(entry["address"]),
            started=datetime.fromisoformat(entry["started"]),
            user_agent=entry["user_agent"],
            code=self._open(entry["code"]) if has_tries(token, of=TRIES) else None,
        )

    def sign_in_here(self, link: Link) -> Ceremony:
        """The ceremony of a new transaction, for who would rather sign in where the link opened.

        There the link itself counts and no code does. The transaction that asked for it gains
        nothing, and can no longer use it either.
        """
        return Ceremony(
            public={"address": link.address}, secret={"transaction_id": link.transaction_id}
        )

    def begin_enrolment(self, user: User, now: datetime, wish: Wish = ANY_WAY) -> Ceremony:
        """There is nothing to set up; ``finish_enrolment`` says so."""
        return NOTHING

    def finish_enrolment(
        self, user: User, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Enrolled | Refused:
        """Always refused: a verified address is all it takes."""
        return _NO_SETUP


def withdraw(user_id: str, now: datetime) -> None:
    """End what was mailed to this person: due with every change of address or password."""
    supersede(PURPOSE, user_id, now=now)


def withdraw_link(token: str, now: datetime) -> None:
    """End one mail's link and code: whoever got it did not ask for it."""
    take(PURPOSE, token, now=now)


def masked(address: str) -> str:
    """An address that its owner recognises: ``a•••@example.com``."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def _reachable(user: User) -> bool:
    return user.email_verified and user.disabled_at is None


def _look_up(handle: str, now: datetime) -> dict[str, Any] | None:
    # Whatever came instead of a handle may hold what cannot even be hashed.
    return peek(PURPOSE, handle, now=now) if handle.isascii() else None


def _present_owner(entry: Mapping[str, Any]) -> str | None:
    """The id of the person mailed, if she still has that address; read afresh from the table."""
    found = select(User.id).where(
        User.id == entry["user_id"],
        User.email == entry["address"],
        User.email_verified.is_(True),
        User.disabled_at.is_(None),
    )
    return db.session.execute(found).scalar_one_or_none()
