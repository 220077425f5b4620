"""Password hashes that other programs made: checked until their owners sign in, then made anew.

What is stored is one line of text that says which way it was made and at what cost. Costs are
bounded when they are read: a hash from a file must not be able to stall a sign-in.
"""

import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Final

import bcrypt
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MAX_ITERATIONS: Final = 5_000_000
MAX_MEMORY: Final = 256 * 1024 * 1024
"""Bytes that scrypt or Argon2 may take."""
_ONE_ALPHABET: Final = str.maketrans("-_", "+/")
_BCRYPT_LONGEST: Final = 72
_BCRYPT_COSTLIEST: Final = 15


class Foreign:
    """A way to check hashes; ``read`` raises ``ValueError`` for what it cannot check."""

    prefixes: tuple[str, ...] = ()

    def read(self, stored: str) -> Callable[[bytes], bool]:
        """What says whether a password is the one behind this hash."""
        raise NotImplementedError

    def reads(self, stored: str) -> bool:
        """Is it whole, and of a cost that is allowed here?"""
        try:
            self.read(stored)
        except ValueError:
            return False
        return True

    def verify(self, stored: str, password: bytes) -> bool:
        """Is this the password behind ``stored``? False too for a hash that is broken."""
        try:
            return self.read(stored)(password)
        except ValueError:
            return False

    def is_outdated(self, stored: str) -> bool:
        """Always: whoever signs in gets a hash of ours."""
        return True


class Argon2Other(Foreign):
    """Argon2 in its other forms; argon2id itself is ours, whatever its cost."""

    prefixes = ("$argon2i$", "$argon2d$")

    def read(self, stored: str) -> Callable[[bytes], bool]:
        check_argon2(stored)
        hasher = PasswordHasher()

        def check(password: bytes) -> bool:
            try:
                return hasher.verify(stored, password)
            except (VerificationError, InvalidHashError):
                return False

        return check


def check_argon2(stored: str) -> None:
    """Raises ``ValueError`` for what is no Argon2 hash, or costs too much."""
    try:
        cost = extract_parameters(stored)
    except InvalidHashError as error:
        raise ValueError("is not an Argon2 hash") from error
    if cost.memory_cost * 1024 > MAX_MEMORY or cost.time_cost > 50 or cost.parallelism > 64:
        raise ValueError("costs more to check than is allowed here")


class Bcrypt(Foreign):
    """bcrypt ($2a$, $2b$, $2y$), as Auth0 exports it."""

    prefixes = ("$2a$", "$2b$", "$2y$")
    _FORM: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")

    def read(self, stored: str) -> Callable[[bytes], bool]:
        found = self._FORM.fullmatch(stored)
        if found is None:
            raise ValueError("is not a bcrypt hash")
        if not 4 <= int(found[1]) <= _BCRYPT_COSTLIEST:
            raise ValueError("costs more to check than is allowed here")
        # bcrypt never looked at more than 72 bytes; the library refuses more.
        return lambda password: bcrypt.checkpw(password[:_BCRYPT_LONGEST], stored.encode("ascii"))


class Pbkdf2(Foreign):
    """PBKDF2: Django's own form, and ``$pbkdf2-<digest>$<iterations>$<salt>$<hash>``, base64."""

    prefixes = ("pbkdf2_", "$pbkdf2")
    _DIGESTS: Final[Mapping[str, str]] = {
        **{"pbkdf2_sha256": "sha256", "pbkdf2_sha1": "sha1", "pbkdf2": "sha1"},
        **{"pbkdf2-sha1": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"},
    }

    def read(self, stored: str) -> Callable[[bytes], bool]:
        name, iterations, salt, wanted = _parts(stored.removeprefix("$"), 4)
        digest = self._DIGESTS.get(name)
        if digest is None:
            raise ValueError("is of a digest that is not known here")
        rounds = _number(iterations, MAX_ITERATIONS)
        # Django's salt is the text itself, Keycloak's are bytes.
        salted = salt.encode() if name.startswith("pbkdf2_") else _bytes(salt)
        expected = _bytes(wanted)
        return lambda password: hmac.compare_digest(
            hashlib.pbkdf2_hmac(digest, password, salted, rounds, len(expected)), expected
        )


class Scrypt(Foreign):
    """scrypt as Django keeps it: ``scrypt$salt$n$r$p$hash``."""

    prefixes = ("scrypt$",)

    def read(self, stored: str) -> Callable[[bytes], bool]:
        _name, salt, cost, block, parallel, wanted = _parts(stored, 6)
        expected = _bytes(wanted)
        derive = _scrypt(salt.encode(), n=cost, r=block, p=parallel, size=len(expected))
        return lambda password: hmac.compare_digest(derive(password), expected)


class FirebaseScrypt(Foreign):
    """Firebase's variant: ``$firebase-scrypt$<mem_cost>$<rounds>$<separator>$<key>$<salt>$<hash>``.

    What scrypt derives is a key, and the hash is the project's signer key encrypted with it
    (AES-256 in counter mode from zero): https://github.com/firebase/scrypt.
    """

    prefixes = ("$firebase-scrypt$",)

    def read(self, stored: str) -> Callable[[bytes], bool]:
        _none, _name, memory, rounds, separator, key, salt, wanted = _parts(stored, 8)
        cost = str(2 ** _number(memory, 24))
        derive = _scrypt(_bytes(salt) + _bytes(separator), n=cost, r=rounds, p="1", size=32)
        signer, expected = _bytes(key), _bytes(wanted)

        def check(password: bytes) -> bool:
            cipher = Cipher(algorithms.AES(derive(password)), modes.CTR(bytes(16))).encryptor()
            return hmac.compare_digest(cipher.update(signer) + cipher.finalize(), expected)

        return check


FOREIGN: Final[tuple[Foreign, ...]] = (
    *(Argon2Other(), Bcrypt(), Pbkdf2(), Scrypt(), FirebaseScrypt()),
)


def check_hash(stored: str) -> None:
    """Raises ``ValueError``, completing "the hash ...", for what no sign-in could check."""
    if stored.startswith("$argon2id$"):
        check_argon2(stored)
        return
    kind = next((one for one in FOREIGN if stored.startswith(one.prefixes)), None)
    if kind is None:
        raise ValueError("is of a kind that is not known here")
    kind.read(stored)


def _scrypt(salt: bytes, *, n: str, r: str, p: str, size: int) -> Callable[[bytes], bytes]:
    cost, block, parallel = _number(n, 2**24), _number(r, 64), _number(p, 16)
    memory = 128 * cost * block + 128 * block * parallel
    if cost & (cost - 1) or memory > MAX_MEMORY:
        raise ValueError("costs more to check than is allowed here")
    return lambda password: hashlib.scrypt(
        password, salt=salt, n=cost, r=block, p=parallel, dklen=size, maxmem=2 * memory
    )


def _parts(stored: str, many: int) -> list[str]:
    parts = stored.split("$")
    if len(parts) != many:
        raise ValueError("is cut short, or not of the kind it says")
    return parts


def _number(text: str, at_most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError("has a cost that is not a number")
    if not 0 < int(text) <= at_most:
        raise ValueError("costs more to check than is allowed here")
    return int(text)


def _bytes(text: str) -> bytes:
    """base64 of either alphabet, padded or not."""
    filled = text + "=" * (-len(text) % 4)
    try:
        found = b64decode(filled.translate(_ONE_ALPHABET), validate=True)
    except ValueError as error:
        raise ValueError("is not base64 where it has to be") from error
    if not found:
        raise ValueError("is cut short, or not of the kind it says")
    return found
