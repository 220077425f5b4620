"""Random secrets, the hashes they are stored by, encryption of what must be read back, and files
that nobody but their owner reads."""

import hashlib
import hmac
import json
import os
import re
import secrets
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

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


_TICKS: Final = 16
"""A second has so many. Ten hexadecimal digits of them last until the year 4147."""
_STAMP = 10
"""Characters."""
_STAMPED: Final = re.compile(r"[0-9a-f]{10}[A-Za-z0-9_-]{43}")


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


class Box:
    """Encrypts with the first key, decrypts with any (Fernet: AES-128-CBC, HMAC-SHA256)."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._first = Fernet(keys[0])
        self._roots = [key.encode() for key in keys]

    def seal(self, value: Any) -> str:
        """Encrypt any JSON value."""
        return self._first.encrypt(dump(value).encode()).decode()

    def open(self, sealed: str) -> Any:
        """Decrypt what ``seal`` made; raises ``Unreadable`` when no key fits."""
        try:
            return json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise Unreadable("no configured key decrypts a stored value") from None

    def is_current(self, sealed: str) -> bool:
        """Did the first key encrypt it? What has to last must not hang on an older one."""
        try:
            self._first.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

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
