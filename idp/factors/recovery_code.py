"""Recovery codes: ten secrets on paper for the day the authenticator is gone.

A code has 120 random bits, so that a plain hash keeps it (OWASP ASVS 6.5.2 wants a slow one only
below 112) and no key is needed to check it: the codes still work for who restores a deployment
whose encryption keys are lost, when authenticator apps no longer do.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CursorResult, func, select, update

from idp.assurance import RECOVERY_CODE, Offer, Trait
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
from idp.factors.typed import squeezed
from idp.models import Credential, User, db, new_id
from idp.secrecy import digest

SET_SIZE = 10
WARN_AT = 3

_KIND = "recovery_code"
_FIELD = "recovery_code"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O (taken for 1, 1, 0) and no U."""
_LENGTH = 24
_GROUP = 4
_LOOKALIKES = str.maketrans("ILO", "110")
_CODE = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")

_EMPTY = Refused(LEFT_EMPTY, "Enter one of your recovery codes.", _FIELD, counts=False)
_MALFORMED = Refused(
    "malformed",
    f"A recovery code has {_LENGTH} letters and digits. Check it and try again.",
    _FIELD,
)
_WRONG = Refused("wrong", "That recovery code is not right. Check it, or try another.", _FIELD)
_REPLAYED = Refused(
    "replayed", "That recovery code was used already. Each works once: try another.", _FIELD
)


class RecoveryCode:
    """One row a code. They stand beside a first proof and never alone."""

    name: ClassVar[str] = _KIND
    can_prove: ClassVar[frozenset[Trait]] = RECOVERY_CODE.proves
    # Made with the first second factor, never in place of one.
    enrolable: ClassVar[bool] = False
    answer_fields: ClassVar[frozenset[str]] = frozenset({_FIELD})
    names_its_user: ClassVar[bool] = False
    phrase: ClassVar[str] = "a recovery code"
    on_request: ClassVar[bool] = False
    corrected_field: ClassVar[str] = _FIELD

    def __init__(self, tools: Tools) -> None:
        """Needs none of the tools: see above."""

    def offers(self, user: User | None, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        """A possession of last resort, while unused codes are left."""
        if user is not None and not remaining(credentials):
            return ()
        used = [one.used_at for one in credentials if one.kind == self.name and one.used_at]
        return (
            Offer(self.name, self.can_prove, last_used=max(used, default=None), last_resort=True),
        )

    def begin(self, user: User | None, task: Task, now: datetime) -> Ceremony:
        """Nothing to prepare."""
        return NOTHING

    def verify(
        self, user: User | None, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Proof | Refused:
        """Judge ``recovery_code`` and use it up; the proof's signals say how many are left."""
        typed = answer.get(_FIELD, "")
        if not typed.strip():
            return _EMPTY
        code = parse(typed)
        if code is None:
            return _MALFORMED
        if user is None:
            return _WRONG
        credential_id = _claim(user, code, now)
        if credential_id is None:
            return _REPLAYED if _was_used(user, code) else _WRONG
        left = _count_unused(user)
        return Proof(
            user.id,
            credential_id,
            RECOVERY_CODE.proves,
            RECOVERY_CODE.amr,
            {"remaining": left},
            notice=f"A recovery code was used to sign in; {left} of {SET_SIZE} are left.",
        )

    def begin_enrolment(self, user: User, now: datetime, wish: Wish = ANY_WAY) -> Ceremony:
        """Nothing to prepare: the codes are made when the old ones end."""
        return NOTHING

    def finish_enrolment(
        self, user: User, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Enrolled | Refused:
        """Make ten new codes and end the old ones; ``show_once["codes"]`` holds them as text.

        Proves nothing. The credential returned stands for all ten.
        """
        codes = [_new_code() for _ in range(SET_SIZE)]
        hold(user.id)
        delete_all(user.id, self.name)
        rows = [self._row(user, code, now) for code in codes]
        db.session.add_all(rows)
        db.session.flush()
        return Enrolled(rows[0], show_once={"codes": [grouped(code) for code in codes]})

    def _row(self, user: User, code: str, now: datetime) -> Credential:
        return Credential(
            id=new_id(),
            user_id=user.id,
            kind=self.name,
            lookup=_lookup(user, code),
            created_at=now,
        )


def remaining(credentials: Sequence[Credential]) -> int:
    """How many unused recovery codes are among a person's credentials."""
    return len(of_kind(credentials, _KIND))


def running_low(credentials: Sequence[Credential]) -> bool:
    """Is it time to suggest new ones? Not for a person who never had any."""
    return any(one.kind == _KIND for one in credentials) and remaining(credentials) <= WARN_AT


def withdraw_all(now: datetime) -> int:
    """Make every unused code of everybody worthless, in the caller's transaction; returns how many.

    For when it is not known any more which were used.
    """
    withdrawn = db.session.execute(
        update(Credential)
        .where(Credential.kind == _KIND, Credential.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(withdrawn, CursorResult)  # noqa: S101  narrows the type
    return withdrawn.rowcount


def parse(typed: str) -> str | None:
    """The code meant by what was typed, as 24 characters of Crockford's base32, or None.

    Case, spaces and hyphens do not matter; O is read as 0, I and L as 1.
    """
    code = squeezed(typed).upper().translate(_LOOKALIKES)
    return code if _CODE.fullmatch(code) else None


def grouped(code: str) -> str:
    """A code as it is shown: six groups of four."""
    return "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def _lookup(user: User, code: str) -> str:
    """The stored form. The owner is part of it: the same code is another person's no more."""
    return digest(f"{user.id}\0{code}")


def _claim(user: User, code: str, now: datetime) -> str | None:
    """Use the code up in the caller's transaction; of any number of callers one gets its id."""
    claimed = db.session.execute(
        update(Credential)
        .where(
            Credential.kind == _KIND,
            Credential.lookup == _lookup(user, code),
            Credential.user_id == user.id,
            Credential.used_at.is_(None),
        )
        .values(used_at=now, last_used_at=now)
        .returning(Credential.id)
        .execution_options(synchronize_session="fetch")
    )
    return claimed.scalar_one_or_none()


def _was_used(user: User, code: str) -> bool:
    found = select(Credential.id).where(
        Credential.kind == _KIND, Credential.lookup == _lookup(user, code)
    )
    return db.session.execute(found).scalar_one_or_none() is not None


def _count_unused(user: User) -> int:
    return db.session.execute(
        select(func.count()).where(
            Credential.user_id == user.id, Credential.kind == _KIND, Credential.used_at.is_(None)
        )
    ).scalar_one()
