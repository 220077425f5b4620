"""Nonces for DPoP proofs (RFC 9449 section 8): nothing is stored, any node knows them all."""

import hmac
from datetime import datetime, timedelta
from typing import Final

from idp.clock import epoch
from idp.secrecy import derive_key

LIFETIME: Final = timedelta(minutes=5)
"""How long one is good, at the least; it may be up to ``STEP`` longer."""

STEP: Final = 60
"""Seconds that everybody is offered the same one."""


class Nonces:
    """Makes them and knows its own: the minute they were made in, and a MAC over it.

    A nonce is no secret and not single-use: it shows that a proof was made lately, whatever the
    clock of whoever made it says. That a proof is used once is for its ``jti``.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = [key.encode() for key in derive_key(keys, "dpop nonce")]

    def fresh(self, now: datetime) -> str:
        """The one to offer now."""
        return self._made(epoch(now) // STEP, self._keys[0])

    def accepts(self, nonce: str, now: datetime) -> bool:
        """Is it one of ours, made with any of the keys, and not too old?"""
        latest = epoch(now) // STEP
        # One step ahead: another node's clock may be a little before this one's.
        steps = range(latest - int(LIFETIME.total_seconds()) // STEP, latest + 2)
        made = (self._made(step, key) for step in steps for key in self._keys)
        return nonce.isascii() and any(hmac.compare_digest(nonce, one) for one in made)

    @staticmethod
    def _made(step: int, key: bytes) -> str:
        return hmac.new(key, str(step).encode(), "sha256").hexdigest()
