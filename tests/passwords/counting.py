"""A hasher that counts its work, so that equal work can be asserted without a stopwatch."""

from typing import Any

from idp.config import Settings
from idp.passwords import Hasher
from idp.passwords.schemes import Argon2id

CHEAP: dict[str, Any] = {"argon2_memory_kib": 64, "argon2_time": 1}
"""Settings for tests that hash a lot."""


class CountingScheme(Argon2id):
    """argon2id that notes the cost of every hash it is asked to check, and every one it makes."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.checked: list[str] = []
        self.made = 0

    def hash(self, password: bytes) -> str:
        self.made += 1
        return super().hash(password)

    def verify(self, stored: str, password: bytes) -> bool:
        self.checked.append(stored.split("$")[3])
        return super().verify(stored, password)


def counting_hasher(settings: Settings) -> tuple[Hasher, CountingScheme]:
    """A hasher, and what counts for it."""
    scheme = CountingScheme(settings)
    return Hasher(settings, making=scheme), scheme
