"""Hashing: bounded, and the same work whether or not there is anything to compare with."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from idp import capacity
from idp.capacity import Gate
from idp.config import Settings
from idp.passwords.foreign import FOREIGN
from idp.passwords.schemes import Argon2id, MakingScheme, Scheme

LONGEST = 1024
"""Code points. More is nobody's password, and normalising without end is a way to stall us."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Did the password fit, and should it be hashed anew because the cost has changed?"""

    correct: bool
    outdated: bool = False


def normalise(password: str) -> str:
    """The form that is counted, compared and hashed: NFC (NIST SP 800-63B-4, 3.1.1.2).

    Nothing is trimmed, folded or cut off.
    """
    return unicodedata.normalize("NFC", password)


PATIENCE: Final = 5.0
"""Seconds that a hash waits for its turn."""


class Hasher:
    """Makes and checks password hashes, at most ``argon2_concurrency`` at once in a process.

    ``argon2_waiting`` more wait their turn, and who comes beyond that is turned away: ``hash`` and
    ``verify`` raise ``Busy``. So a flood of sign-ins takes neither memory without end nor the
    threads that others need.

    ``making`` makes new hashes. ``others`` only check what came from elsewhere; what they
    accept is always outdated.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        making: MakingScheme | None = None,
        others: Sequence[Scheme] = FOREIGN,
    ) -> None:
        self._making = making or Argon2id(settings)
        self._schemes: tuple[Scheme, ...] = (self._making, *others)
        self._room = (settings.argon2_concurrency, settings.argon2_waiting)
        self._decoy = self._making.decoy()

    @property
    def _gate(self) -> Gate:
        return capacity.gate("hash", *self._room, patience=PATIENCE)

    @property
    def crowded(self) -> bool:
        """Would ``hash`` and ``verify`` turn away whoever comes now?"""
        return self._gate.full

    def hash(self, password: str) -> str:
        """The stored form of a password of at most ``LONGEST`` code points."""
        if len(password) > LONGEST:
            raise ValueError(f"a password has at most {LONGEST} characters")
        return self._gate.do(lambda: self._making.hash(_encoded(password)))

    def verify(self, stored: str | None, password: str) -> Verdict:
        """Compare with the stored hash; with None the same work, and the answer no."""
        if len(password) > LONGEST:
            stored, password = None, ""
        scheme = self._scheme_of(stored)
        if stored is None or scheme is None:
            self._check(self._making, self._decoy, password)
            return Verdict(correct=False)
        correct = self._check(scheme, stored, password)
        return Verdict(correct, outdated=correct and self._is_outdated(scheme, stored))

    def _scheme_of(self, stored: str | None) -> Scheme | None:
        if stored is None:
            return None
        known = (one for one in self._schemes if stored.startswith(one.prefixes))
        # One that cannot be checked costs as much as none, or it would be told by its speed.
        return next((one for one in known if one.reads(stored)), None)

    def _check(self, scheme: Scheme, stored: str, password: str) -> bool:
        return self._gate.do(lambda: scheme.verify(stored, _encoded(password)))

    def _is_outdated(self, scheme: Scheme, stored: str) -> bool:
        return scheme is not self._making or scheme.is_outdated(stored)


def _encoded(password: str) -> bytes:
    # JSON can carry a lone surrogate; it is as good a character as any here.
    return normalise(password).encode("utf-8", "surrogatepass")
