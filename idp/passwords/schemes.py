"""How stored password hashes are made and checked, one scheme for each way."""

import secrets
from typing import Protocol

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from idp.config import Settings

_SALT = 16
_HASH = 32


class Scheme(Protocol):
    """Checks the hashes of one kind. Add another by passing it to ``Hasher``."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """How the hashes that it understands begin."""

    def reads(self, stored: str) -> bool:
        """Can this hash be checked at all? Asked of those that begin so."""

    def verify(self, stored: str, password: bytes) -> bool:
        """Is this the password behind ``stored``? False too for a hash that is broken."""

    def is_outdated(self, stored: str) -> bool:
        """Would a new hash of the same password be made otherwise today?"""


class MakingScheme(Scheme, Protocol):
    """The scheme that new hashes are made with."""

    def hash(self, password: bytes) -> str:
        """A salted hash, with its parameters in it."""

    def decoy(self) -> str:
        """A hash of nothing anybody knows, which takes as long to check as a new one."""


class Argon2id:
    """argon2id (RFC 9106) in the PHC string format, which holds version and cost."""

    prefixes: tuple[str, ...] = ("$argon2id$",)

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_parallelism,
            hash_len=_HASH,
            salt_len=_SALT,
            type=Type.ID,
        )
        self._shape = _shape(self.decoy())

    def hash(self, password: bytes) -> str:
        return self._hasher.hash(password)

    def reads(self, stored: str) -> bool:
        return True

    def verify(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        # Nearly all are as they would be made today, which is seen without parsing them.
        return _shape(stored) != self._shape and self._hasher.check_needs_rehash(stored)

    def decoy(self) -> str:
        ours = self._hasher
        cost = f"m={ours.memory_cost},t={ours.time_cost},p={ours.parallelism}"
        return f"$argon2id$v={ARGON2_VERSION}${cost}${_random(_SALT)}${_random(_HASH)}"


def _shape(stored: str) -> list[str | int]:
    """What stands before salt and hash, and how long each of them is."""
    head, *parts = stored.rsplit("$", 2)
    return [head, *map(len, parts)]


def _random(size: int) -> str:
    # Every whole number of bytes has an unpadded form; the alphabet only has to be base64's.
    return secrets.token_urlsafe(size).replace("-", "+").replace("_", "/")
