"""Base64url without padding, as JOSE and WebAuthn have it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(data: bytes) -> str:
    """Octets to text."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Text to octets."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
