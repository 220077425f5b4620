"""Why a ceremony is refused: a reason for the audit log, and a calm sentence for the person."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum, auto
from typing import Literal

from idp.factors.base import Refused
from idp.secrecy import new_reference

Ceremonial = Literal["get", "create"]
"""Which ceremony: using a passkey, or making one (``navigator.credentials``)."""


class Reason(StrEnum):
    """What was wrong, one name for each relying-party step that can fail."""

    MISSING = auto()
    MALFORMED = auto()
    NOT_SET_UP = auto()
    """The browser says that this address may use no passkeys of ours (its ``SecurityError``)."""
    NOT_PENDING = auto()
    EXPIRED = auto()
    REPLAYED = auto()
    WRONG_TYPE = auto()
    WRONG_CHALLENGE = auto()
    WRONG_ORIGIN = auto()
    CROSS_ORIGIN = auto()
    WRONG_RP_ID = auto()
    NOT_PRESENT = auto()
    NOT_VERIFIED = auto()
    WRONG_BACKUP_FLAGS = auto()
    BACKUP_ELIGIBILITY_CHANGED = auto()
    NOT_ALLOWED = auto()
    UNKNOWN_CREDENTIAL = auto()
    """Nobody owns it. Only this one may become ``signalUnknownCredential``, which deletes."""
    WRONG_OWNER = auto()
    WRONG_USER_HANDLE = auto()
    WRONG_ALGORITHM = auto()
    WRONG_SIGNATURE = auto()
    WRONG_CREDENTIAL_ID = auto()
    WRONG_ATTESTATION = auto()
    NOT_ATTESTED = auto()
    MODEL_NOT_ALLOWED = auto()
    ALREADY_YOURS = auto()
    ALREADY_REGISTERED = auto()


class Deviation(Exception):
    """The response departs from what WebAuthn L3 §7 asks of it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def or_else(reason: Reason) -> Iterator[None]:
    """Every failure of the libraries within becomes this one.

    py_webauthn declares ``WebAuthnException``, but bytes made for the purpose get ``ValueError``,
    ``TypeError``, ``KeyError``, ``RecursionError`` and what cryptography raises out of it as well.
    Nothing within touches the database.
    """
    try:
        yield
    except Deviation:
        raise
    except Exception as error:
        raise Deviation(reason) from error


_NO_MISDEED = frozenset(
    {
        Reason.MISSING,
        Reason.NOT_SET_UP,
        Reason.NOT_PENDING,
        Reason.EXPIRED,
        Reason.REPLAYED,
        Reason.NOT_VERIFIED,
        Reason.UNKNOWN_CREDENTIAL,
        Reason.NOT_ATTESTED,
        Reason.MODEL_NOT_ALLOWED,
        Reason.ALREADY_YOURS,
        Reason.ALREADY_REGISTERED,
    }
)
"""What happens to honest people with honest browsers; the rest counts as a guess."""

_OUR_FAULT = (Reason.NOT_SET_UP, Reason.WRONG_ORIGIN, Reason.CROSS_ORIGIN, Reason.WRONG_RP_ID)
"""What an administrator has to put right, unless somebody made it up."""

_LATE = "You were away for a while, so we started again. Please try once more."
_ADDRESS = "Passkeys are not set up for this address. Tell your administrator (ref %(reference)s)."
_OTHERS = (
    "This passkey belongs to another account. Use one of yours, or another way.",
    "This passkey belongs to another account. Use one of yours.",
)
_NOT_ACCEPTED = (
    "Passkeys of this kind are not accepted here. Ask your administrator which ones are."
)

_SENTENCES: Mapping[Reason, str] = {
    Reason.NOT_PENDING: _LATE,
    Reason.EXPIRED: _LATE,
    Reason.REPLAYED: _LATE,
    **dict.fromkeys(_OUR_FAULT, _ADDRESS),
    Reason.NOT_ATTESTED: _NOT_ACCEPTED,
    Reason.MODEL_NOT_ALLOWED: _NOT_ACCEPTED,
    Reason.ALREADY_YOURS: "This device already has your passkey. You are all set.",
}
_OTHERWISE = "No passkey was added. Nothing changed."
_BESIDE_OTHERS: Mapping[Reason, tuple[str, str]] = {
    Reason.NOT_VERIFIED: (
        "Your device did not check that it is you. "
        "Use your fingerprint, face or PIN when it asks, or another way.",
        "Your device did not check that it is you. Use your fingerprint, face or PIN when it asks.",
    ),
    Reason.UNKNOWN_CREDENTIAL: (
        "This passkey is no longer linked to an account. Use another one, or another way.",
        "This passkey is no longer linked to an account. Use another one.",
    ),
    Reason.NOT_ALLOWED: _OTHERS,
    Reason.WRONG_OWNER: _OTHERS,
}
"""What to say where there are other ways, and where there is none."""
_FAILED = (
    "The passkey did not work this time. Try again, or use another way.",
    "The passkey did not work this time. Try again.",
)


def _said(reason: Reason, ceremonial: Ceremonial) -> tuple[str, str | None]:
    """The sentence, and the one in its place where there is no other way, if that differs."""
    if always := _SENTENCES.get(reason):
        return always, None
    if ceremonial == "get":
        return _BESIDE_OTHERS.get(reason, _FAILED)
    # Nothing else would do as well for who wants to have one.
    return _BESIDE_OTHERS.get(reason, (_OTHERWISE, _OTHERWISE))[1], None


def refused(reason: Reason, ceremonial: Ceremonial) -> Refused:
    """The refusal as the service hands it on."""
    message, alone = _said(reason, ceremonial)
    return Refused(
        reason=reason.value,
        message=message,
        counts=reason not in _NO_MISDEED,
        # Without an answer the challenge is as good as new.
        spent=reason not in (Reason.MISSING, Reason.NOT_SET_UP),
        alone=alone,
        reference=new_reference() if message is _ADDRESS else None,
    )
