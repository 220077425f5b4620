"""Traits: the facts one proof can show about the person who gave it."""

from collections.abc import Iterable
from enum import StrEnum, auto


class Trait(StrEnum):
    """One fact. A proof shows a set of them: what *it* showed, not what its method could show."""

    KNOWLEDGE = auto()
    POSSESSION = auto()
    USER_VERIFICATION = auto()
    """The authenticator itself checked who holds it, by fingerprint, face or PIN."""
    MAILBOX = auto()
    PHISHING_RESISTANT = auto()
    HARDWARE_PROTECTED = auto()


Traits = frozenset[Trait]
"""What one proof shows."""

KINDS: Traits = frozenset({Trait.KNOWLEDGE, Trait.POSSESSION, Trait.USER_VERIFICATION})
"""The kinds of which two different ones make `mfa`.

The mailbox is no kind: it can reset the password, so it is not independent of it, and NIST
SP 800-63B-4 (3.1.3) does not accept e-mail for out-of-band authentication.
"""

OPENING: Traits = frozenset({Trait.KNOWLEDGE, Trait.MAILBOX, Trait.PHISHING_RESISTANT})
"""The traits of which one must be there before a session opens.

A six-digit code is short and says nothing of who types it, and a recovery code is kept for the
day when something is lost: both stand beside a proof, neither stands alone.
"""


def opens(proof: Traits) -> bool:
    """May this proof alone open a session?"""
    return not OPENING.isdisjoint(proof)


def two_kinds(proofs: Iterable[Traits]) -> bool:
    """Do these proofs together show two different kinds? One UV passkey does so by itself."""
    return len(KINDS.intersection(frozenset().union(*proofs))) >= 2
