"""The secret half of a ceremony: the challenge, what it was for, and that it works once."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from webauthn import base64url_to_bytes
from webauthn.helpers import bytes_to_base64url

from idp import state
from idp.factors.base import UserVerification
from idp.factors.passkey.refusals import Ceremonial, Deviation, Reason, or_else
from idp.frozen import made_often

TIMEOUT = 300_000
"""Milliseconds a browser should wait: five minutes, for people need time (WebAuthn L3 §15.1)."""
_PURPOSE = "passkey_challenge"


def bound_challenge(nonce: bytes, binding: str) -> bytes:
    """The challenge that covers an operation: SHA-256 over a label, ``nonce`` and ``binding``.

    ``nonce`` has 32 bytes, so nothing can move over the border between the two. Who keeps both
    can show afterwards what the signed challenge stood for.
    """
    return sha256(b"idp confirm operation\0" + nonce + binding.encode()).digest()


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What the server remembers of a ceremony that it began; JSON values throughout."""

    ceremonial: Ceremonial
    nonce: str
    expires_at: str
    user_verification: UserVerification
    user_id: str | None = None
    """Whom the ceremony was begun for; None when the passkey is to name its own user."""
    allowed: tuple[str, ...] | None = None
    """Credential ids, base64url; None when any will do."""
    binding: str | None = None
    conditional: bool = False
    """A passkey made along a password sign-in, without a gesture (mediation: conditional)."""

    @classmethod
    def start(
        cls,
        ceremonial: Ceremonial,
        *,
        now: datetime,
        lifetime: timedelta,
        user_verification: UserVerification,
        user_id: str | None = None,
        allowed: tuple[str, ...] | None = None,
        binding: str | None = None,
        conditional: bool = False,
    ) -> Self:
        """A ceremony with a new random nonce of 256 bits (WebAuthn L3 §13.4.3)."""
        return cls(
            ceremonial=ceremonial,
            nonce=bytes_to_base64url(secrets.token_bytes(32)),
            expires_at=(now + lifetime).isoformat(),
            user_verification=user_verification,
            user_id=user_id,
            allowed=allowed,
            binding=binding,
            conditional=conditional,
        )

    @classmethod
    def load(cls, secret: Mapping[str, Any], ceremonial: Ceremonial) -> Self:
        """Read back what ``dump`` wrote; raises ``Deviation`` when there is no such ceremony."""
        with or_else(Reason.NOT_PENDING):
            found = cls(**secret)
        if found.ceremonial != ceremonial:
            raise Deviation(Reason.NOT_PENDING)
        return found

    def dump(self) -> dict[str, Any]:
        """As the transaction keeps it: without what is as ``load`` takes it to be.

        That is None and False, and nothing else that is empty: of no passkey at all it would make
        any.
        """
        return {
            name: value
            for name in self.__slots__
            if (value := getattr(self, name)) is not None and value is not False
        }

    @property
    def challenge(self) -> bytes:
        """What the authenticator is to sign."""
        nonce = base64url_to_bytes(self.nonce)
        return nonce if self.binding is None else bound_challenge(nonce, self.binding)

    @property
    def challenge_text(self) -> str:
        """The same in base64url, as options have it."""
        return self.nonce if self.binding is None else bytes_to_base64url(self.challenge)

    @property
    def verification_required(self) -> bool:
        """Must the UV flag be set?"""
        return self.user_verification == "required"

    def claim(self, now: datetime) -> None:
        """Use the challenge up, in the caller's transaction, whatever comes of the attempt.

        Raises ``Deviation`` when it has expired, or for all but one of any number of attempts.
        """
        remaining = datetime.fromisoformat(self.expires_at) - now
        if remaining <= timedelta():
            raise Deviation(Reason.EXPIRED)
        if not state.mark(_PURPOSE, self.nonce, now=now, lifetime=remaining):
            raise Deviation(Reason.REPLAYED)
