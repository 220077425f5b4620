"""The signatures of one key that need no second look: made here to come back, or verified here."""

from hashlib import sha256
from typing import Final

MOST: Final = 4096
"""Of one key, and about 100 bytes each."""


class Signatures:
    """Knows again whole tokens, to the letter, by their digests; the oldest are forgotten first.

    That a signature is good stays true for as long as its key is trusted, and whoever holds this
    decides that, and all else that a token says, each time. A token that was refused is not kept:
    strangers fill no memory. In two generations, and so without a lock: a thread that sees the
    wrong one verifies a signature once more, and nothing else can go wrong.
    """

    def __init__(self, most: int = MOST) -> None:
        self._each = most // 2
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def __contains__(self, token: str) -> bool:
        known = _digest(token)
        return known in self._young or known in self._old

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def remember(self, token: str) -> None:
        """That the last part of ``token`` signs the others."""
        young = self._young
        if len(young) >= self._each:
            self._old, self._young = young, (young := set())
        young.add(_digest(token))


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
