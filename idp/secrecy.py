"""Random secrets, the hashes they are stored by, encryption of what must be read back, and files
that nobody but their owner reads."""

import hashlib
import hmac
import json
import os
import re
import secrets
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from idp.json_text import dump


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner only."""
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)


def private_file(path: str | Path, flags: int) -> int:
    """An ``opener`` for ``open``: a file that is made by it is for its owner only."""
    return os.open(path, flags, 0o600)


class Unreadable(Exception):
    """A stored value was encrypted with a key that this deployment no longer has."""


def new_secret() -> str:
    """256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


_READ_OUT: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """Eight characters that can be read out over a telephone: 40 bits, no I, L, O or U."""
    return "".join(secrets.choice(_READ_OUT) for _place in range(8))


_TICKS: Final = 16
"""A second has so many. Ten hexadecimal digits of them last until the year 4147."""
_STAMP = 10
"""Characters."""
_STAMPED: Final = re.compile(r"[0-9a-f]{10}[A-Za-z0-9_-]{43}")


@lru_cache(100)  # a request stamps its own instant on all that it makes
def stamp(now: datetime) -> str:
    """Ten characters that are in the order of time.

    Digits before letters, and letters of one case, are in the same order in every collation.
    """
    return f"{int(now.timestamp() * _TICKS):010x}"


def new_secret_at(now: datetime) -> str:
    """The same for one of those that are made by the thousand, after the ``stamp`` of its making.

    What is stored of it (``filed``) then follows in an index on what was stored before, in a page
    that is at hand however large the index is.
    """
    return stamp(now) + new_secret()


def filed(secret: str) -> str:
    """The stored form of what ``new_secret_at`` made: its stamp, and 198 bits of the digest.

    Of any other it is the ``digest``: what is only as long may hold what no database takes.
    """
    hashed = digest(secret)
    if not _STAMPED.fullmatch(secret):
        return hashed
    return secret[:_STAMP] + hashed[:-_STAMP]


def digest(secret: str) -> str:
    """The stored form of a random secret: SHA-256, base64url, 43 characters.

    Only for secrets of at least 112 bits (OWASP ASVS 6.5.2): a slow hash would add nothing.
    """
    return _b64(hashlib.sha256(secret.encode()).digest())


def _b64(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


_URL_SAFE = bytes.maketrans(b"+/", b"-_")

_SEALED: Final = "2."
"""Stands before what is sealed, in which no other dot is."""
_NONCE: Final = 12
"""Bytes (RFC 8452 section 4)."""


class Box:
    """Encrypts with the first key, decrypts with any (AES-256-GCM-SIV, RFC 8452).

    Should a nonce ever come twice, it shows no more than whether two values are the same.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._roots = [key.encode() for key in keys]
        self._ciphers = [AESGCMSIV(hmac.digest(one, b"sealed", "sha256")) for one in self._roots]
        self._older = [Fernet(key) for key in keys]

    def seal(self, value: Any) -> str:
        """Encrypt any JSON value."""
        nonce = os.urandom(_NONCE)
        encrypted = self._ciphers[0].encrypt(nonce, dump(value).encode(), None)
        return _SEALED + _b64(nonce + encrypted)

    def open(self, sealed: str) -> Any:
        """Decrypt what ``seal`` made; raises ``Unreadable`` when no key fits."""
        for place in range(len(self._roots)):
            with suppress(InvalidTag, InvalidToken, ValueError):
                return json.loads(self._decrypted(sealed, place))
        raise Unreadable("no configured key decrypts a stored value")

    def is_current(self, sealed: str) -> bool:
        """Did the first key encrypt it? What has to last must not hang on an older one."""
        with suppress(InvalidTag, InvalidToken, ValueError):
            return bool(self._decrypted(sealed, 0))
        return False

    def _decrypted(self, sealed: str, place: int) -> bytes:
        """By one of the keys. What has no mark was made when values were sealed by Fernet."""
        if not sealed.startswith(_SEALED):
            return self._older[place].decrypt(sealed.encode())
        raw = urlsafe_b64decode(f"{sealed.removeprefix(_SEALED)}==")
        return self._ciphers[place].decrypt(raw[:_NONCE], raw[_NONCE:], None)

    def keyed_digest(self, purpose: str, value: str) -> str:
        """A digest that only this deployment can make; base64url, 43 characters."""
        return next(self.keyed_digests(purpose, value))

    def keyed_digests(self, purpose: str, value: str) -> Iterator[str]:
        """The same by each key, the first first: to find what an older one made."""
        message = f"{purpose}\0{value}".encode()
        for root in self._roots:
            yield _b64(hmac.digest(root, message, "sha256"))


def derive_key(keys: Sequence[str], purpose: str) -> list[str]:
    """One key for ``purpose`` from each configured key, in their order."""
    return [_b64(hmac.digest(key.encode(), purpose.encode(), "sha256")) for key in keys]
