"""Evidence that somebody supposes: "if a password and a code had been proved"."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.assurance import MAILBOX, PASSWORD, RECOVERY_CODE, TOTP, Evidence, Shown, passkey


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of proof: by which method, and what it shows."""

    method: str
    shown: Shown


def _passkey(*, verified: bool = True, synced: bool = True, attested: bool = False) -> Kind:
    shown = passkey(user_verified=verified, backup_eligible=synced, attested=attested)
    return Kind("passkey", shown)


KINDS: Final[Mapping[str, Kind]] = {
    "pwd": Kind("password", PASSWORD),
    "otp": Kind("totp", TOTP),
    "email": Kind("magic_link", MAILBOX),
    "recovery": Kind("recovery_code", RECOVERY_CODE),
    "passkey": _passkey(),
    "passkey-touch": _passkey(verified=False),
    "hwk": _passkey(synced=False, attested=True),
    "hwk-touch": _passkey(verified=False, synced=False, attested=True),
}
"""By the words that ask for them: ``amr`` values where one says it all. A passkey is taken for a
synced one that verified its user; ``touch`` is one that did not, ``hwk`` an attested key."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """One proof, given ``age`` before the request came; zero: in this very sign-in."""

    kind: Kind
    age: timedelta = timedelta(0)


_AGE = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age(text: str) -> timedelta:
    """``90s``, ``15m``, ``3h``, ``2d``, ``1w``. Raises ``ValueError`` with a sentence."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text} is not an age such as 90s, 15m, 3h, 2d or 1w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def read_supposed(text: str) -> tuple[Supposed, ...]:
    """``pwd,otp`` or, with ages, ``pwd@3h,otp@90s``. Raises ``ValueError`` with a sentence."""
    words = [word.strip() for word in text.split(",")]
    return tuple(_supposed(word) for word in words if word)


def _supposed(word: str) -> Supposed:
    name, aged, how_old = word.partition("@")
    if name not in KINDS:
        raise ValueError(f"{name} is none of {', '.join(KINDS)}")
    return Supposed(KINDS[name], age(how_old)) if aged else Supposed(KINDS[name])


def ledger(
    supposed: Iterable[Supposed], *, now: datetime, transaction_id: str
) -> tuple[Evidence, ...]:
    """The evidence there would be; what has no age was given in the sign-in ``transaction_id``.

    Older proofs of the same age come from the same sign-in.
    """
    return tuple(
        Evidence(
            method=one.kind.method,
            credential_id=None,
            proves=one.kind.shown.proves,
            amr=one.kind.shown.amr,
            at=now - one.age,
            transaction_id=f"{one.age} ago" if one.age else transaction_id,
        )
        for one in supposed
    )
