"""What people are called to each client: ``sub``, the same for all or another in each sector.

A pairwise ``sub`` is the account's id, encrypted for the sector with a key that never changes
(OIDC Core 8.1, the second of its examples). The same person and sector always give the same,
nobody without the key can tell whom it names or put two together, and we can read it back.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from idp.protocol.sectors import sector_of
from idp.secrecy import Box
from idp.services import stored_secrets
from idp.services.clients import RegisteredClient
from idp.services.stored_secrets import PAIRWISE

MAX_SUBJECT: Final = 255
"""OIDC Core 2: ``sub`` must not exceed 255 ASCII characters."""


class Subjects:
    """Names people to clients, and finds out whom a client means."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._known: AESSIV | None = None

    def of(self, client: RegisteredClient, user_id: str) -> str:
        """The ``sub`` of a person for ``client``; for public subjects that is the account's id."""
        return self.pairwise(client, user_id) or user_id

    def pairwise(self, client: RegisteredClient, user_id: str) -> str | None:
        """The same where ``client`` has pairwise subjects, and None where it has public ones.

        Raises ``NotPrepared``, ``KeysUnreadable``.
        """
        if client.metadata.subject_type != "pairwise":
            return None
        sealed = self._cipher.encrypt(user_id.encode(), _sector(client))
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def person(self, client: RegisteredClient, subject: str) -> str | None:
        """The account's id that ``client`` means; None for what it cannot have from us.

        Whether there is such an account, nobody looks.
        """
        if client.metadata.subject_type != "pairwise":
            return subject
        if len(subject) > MAX_SUBJECT or not subject.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(f"{subject}{'=' * (-len(subject) % 4)}")
            return self._cipher.decrypt(sealed, _sector(client)).decode()
        except (InvalidTag, ValueError):
            return None

    @property
    def _cipher(self) -> AESSIV:
        # AES-SIV (RFC 5297): deterministic, so stable; authenticated, so nothing else opens.
        if self._known is None:
            self._known = AESSIV(stored_secrets.read(self._box, PAIRWISE))
        return self._known


def _sector(client: RegisteredClient) -> list[bytes]:
    return [b"sub", sector_of(client.metadata).encode()]
