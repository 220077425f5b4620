"""TOTP (RFC 6238): six digits from an app that shares a seed with us."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import pyotp
import segno
from sqlalchemy import select, update

from idp.assurance import TOTP, Offer, Trait
from idp.clock import epoch
from idp.factors.base import (
    ANY_WAY,
    LEFT_EMPTY,
    NOTHING,
    Answer,
    Ceremony,
    Enrolled,
    Proof,
    Refused,
    Task,
    Tools,
    Wish,
    of_kind,
)
from idp.factors.rows import delete_all, hold
from idp.factors.typed import six_digits
from idp.models import Credential, User, db, new_id
from idp.secrecy import Box, Unreadable

STEP_SECONDS = 30
DRIFT = 1
"""Steps that the app's clock may be behind or ahead (RFC 6238 §5.2 allows at most one)."""

_FIELD = "otp"
# None of these ends a setup: the app has been shown its seed, and may show a right code next.
_EMPTY = Refused(
    LEFT_EMPTY, "Enter the 6-digit code from your app.", _FIELD, counts=False, spent=False
)
_MALFORMED = Refused(
    "malformed", "The code has 6 digits. Check it and try again.", _FIELD, spent=False
)
_WRONG = Refused(
    "wrong",
    "That code is not right. Use the newest one that your app shows.",
    _FIELD,
    spent=False,
)
_REPLAYED = Refused(
    "replayed", "That code was used already. Wait for the next one in your app.", _FIELD
)
_UNREADABLE = Refused(
    "unreadable_seed",
    "Your authenticator app cannot be checked here any more. Use another way, and set it up again.",
    counts=False,
    alone="Your authenticator app cannot be checked here any more. Ask your administrator.",
)
_NOT_PENDING = Refused(
    "not_pending", "This setup is no longer open. Please start it again.", counts=False
)
_DONE = Refused("already_enrolled", "This app is set up already.", counts=False)


class Totp:
    """One app a person; setting up another replaces it once the other has shown a code."""

    name: ClassVar[str] = "totp"
    can_prove: ClassVar[frozenset[Trait]] = TOTP.proves
    enrolable: ClassVar[bool] = True
    answer_fields: ClassVar[frozenset[str]] = frozenset({_FIELD})
    names_its_user: ClassVar[bool] = False
    phrase: ClassVar[str] = "a code from your authenticator app"
    on_request: ClassVar[bool] = False

    def __init__(self, tools: Tools) -> None:
        self._box = tools.box
        self._settings = tools.settings

    def offers(self, user: User | None, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        """A possession for who set up an app; what anybody might have while nobody is known."""
        owned = of_kind(credentials, self.name)
        if user is not None and not owned:
            return ()
        used = [one.last_used_at for one in owned if one.last_used_at]
        return (Offer(self.name, self.can_prove, last_used=max(used, default=None)),)

    def begin(self, user: User | None, task: Task, now: datetime) -> Ceremony:
        """Nothing to prepare: the app and we both have the clock."""
        return NOTHING

    def verify(
        self, user: User | None, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Proof | Refused:
        """Judge ``otp`` and claim its time step, so that the same code never counts again."""
        code = _code(answer)
        if isinstance(code, Refused):
            return code
        try:
            matching = self._matching(user, code, now)
        except Unreadable:
            # Fails closed: the app stays offered, or losing a key would drop the second step.
            return _UNREADABLE
        for credential_id, step in matching:
            if user is not None and _claim(credential_id, step, now):
                return _proof(user, credential_id)
        return _REPLAYED if matching else _WRONG

    def _matching(self, user: User | None, code: str, now: datetime) -> list[tuple[str, int]]:
        """The person's credentials and their time steps whose code this is."""
        if user is None:
            return []
        rows = db.session.execute(
            select(Credential.id, Credential.data).where(
                Credential.user_id == user.id, Credential.kind == self.name
            )
        ).all()
        return [
            (credential_id, step)
            for credential_id, data in rows
            for step in _steps(self._box.open(data["seed"]), code, now)
        ]

    def begin_enrolment(self, user: User, now: datetime, wish: Wish = ANY_WAY) -> Ceremony:
        """A new seed, which counts for nothing yet.

        ``public``: ``secret`` (base32 in groups of four), ``uri`` (``otpauth:``) and ``qr`` (a
        ``data:`` URI). All three hold the seed: whoever keeps them has to seal them.
        """
        seed = pyotp.random_base32()  # 160 bits: RFC 4226 §4, R6
        # The label is "issuer:account", so neither may hold a colon of its own.
        uri = pyotp.TOTP(seed).provisioning_uri(
            name=user.email.replace(":", ""), issuer_name=self._settings.site_name.replace(":", "")
        )
        pending = {"id": new_id(), "user_id": user.id, "seed": seed}
        return Ceremony(
            public={"secret": _grouped(seed), "uri": uri, "qr": _qr(uri)},
            secret={"pending": self._box.seal(pending)},
        )

    def finish_enrolment(
        self, user: User, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Enrolled | Refused:
        """Replace the app when the new one shows a right code; until then the old one stands."""
        code = _code(answer)
        if isinstance(code, Refused):
            return code
        pending = _pending(self._box, secret, user)
        if pending is None:
            return _NOT_PENDING
        steps = _steps(pending["seed"], code, now)
        if not steps:
            return _WRONG
        hold(user.id)
        if _exists(pending["id"]):
            return _DONE
        delete_all(user.id, self.name)
        credential = self._add(user, pending, step=max(steps), now=now)
        return Enrolled(credential, _proof(user, credential.id))

    def _add(
        self, user: User, pending: Mapping[str, str], *, step: int, now: datetime
    ) -> Credential:
        credential = Credential(
            id=pending["id"],
            user_id=user.id,
            kind=self.name,
            counter=step,
            data={"seed": self._box.seal(pending["seed"])},
            created_at=now,
            last_used_at=now,
        )
        db.session.add(credential)
        db.session.flush()
        return credential


def _code(answer: Answer) -> str | Refused:
    typed = answer.get(_FIELD, "")
    if not typed.strip():
        return _EMPTY
    return six_digits(typed) or _MALFORMED


def _steps(seed: str, code: str, now: datetime) -> list[int]:
    """The time steps near ``now`` whose code this is, oldest first; compared in constant time."""
    present = epoch(now) // STEP_SECONDS
    hotp = pyotp.HOTP(seed)
    return [
        step
        for step in range(present - DRIFT, present + DRIFT + 1)
        if hmac.compare_digest(hotp.at(step), code)
    ]


def _claim(credential_id: str, step: int, now: datetime) -> bool:
    """Move the last accepted step on, in the caller's transaction; of any number one does.

    RFC 6238 §5.2: never accept a second time. Since the step only grows, a clock set back does
    not make an old code new.
    """
    moved = db.session.execute(
        update(Credential)
        .where(Credential.id == credential_id, Credential.counter < step)
        .values(counter=step, last_used_at=now)
        .returning(Credential.id)
        .execution_options(synchronize_session="fetch")
    )
    return moved.scalar_one_or_none() is not None


def outrun(now: datetime) -> None:
    """Let no code count that may have been shown by ``now``, in the caller's transaction.

    For when it is not known any more which were used. An app is good again within a minute.
    """
    step = epoch(now) // STEP_SECONDS + DRIFT
    db.session.execute(
        update(Credential)
        .where(Credential.kind == Totp.name, Credential.counter < step)
        .values(counter=step)
        .execution_options(synchronize_session=False)
    )


def _proof(user: User, credential_id: str) -> Proof:
    return Proof(user.id, credential_id, TOTP.proves, TOTP.amr)


def _pending(box: Box, secret: Mapping[str, Any], user: User) -> Mapping[str, str] | None:
    """What ``begin_enrolment`` left for this very person."""
    try:
        pending: Mapping[str, str] = box.open(secret.get("pending", ""))
    except Unreadable:
        return None
    return pending if pending["user_id"] == user.id else None


def _exists(credential_id: str) -> bool:
    """Asked while the person is held: did the same form arrive twice?"""
    found = select(Credential.id).where(Credential.id == credential_id)
    return db.session.execute(found).scalar_one_or_none() is not None


def _grouped(seed: str) -> str:
    return " ".join(seed[start : start + 4] for start in range(0, len(seed), 4))


def _qr(uri: str) -> str:
    """The QR code as a ``data:`` URI: SVG, dark on white whatever the page's colours are.

    Without a ``style`` attribute: set into a page instead, the SVG would lose it to the CSP.
    """
    return segno.make(uri, error="m", micro=False).svg_data_uri(
        dark="#000",
        light="#fff",
        omitsize=True,
        title="QR code for your authenticator app",
    )
