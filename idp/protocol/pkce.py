"""Proof Key for Code Exchange (RFC 7636), S256 only: ``plain`` protects nothing worth having."""

import base64
import hashlib
import hmac
import re
from typing import Final

METHODS: Final = ("S256",)

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
# RFC 7636 section 4.2: S256 is BASE64URL of 32 bytes without padding, so always 43 characters.
_S256_CHALLENGE: Final = re.compile(r"[A-Za-z0-9\-_]{43}")


def is_verifier(text: str) -> bool:
    """Whether ``text`` is a well-formed code verifier (RFC 7636 section 4.1)."""
    return _VERIFIER.fullmatch(text) is not None


def is_challenge(text: str) -> bool:
    """Whether ``text`` can be an S256 code challenge (RFC 7636 section 4.2)."""
    return _S256_CHALLENGE.fullmatch(text) is not None


def s256(verifier: str) -> str:
    """The challenge that belongs to ``verifier``, which must be ASCII."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def verify(verifier: str, challenge: str) -> bool:
    """Whether ``verifier`` opens ``challenge``, in constant time; malformed text never does."""
    if not is_verifier(verifier) or not is_challenge(challenge):
        return False
    return hmac.compare_digest(s256(verifier), challenge)
