"""How much there is to be in a database, and what follows from that."""

from dataclasses import dataclass
from typing import Final

GROUPS: Final = 60


@dataclass(frozen=True)
class Size:
    """How many of each. Of the tokens a tenth are access tokens that are kept (opaque ones)."""

    people: int
    clients: int
    tokens: int
    audit: int

    @classmethod
    def of(cls, people: int) -> "Size":
        """As much of everything as goes with so many people, in a young deployment."""
        return cls(people, people // 10, people, people * 5)

    @property
    def access(self) -> int:
        return self.tokens // 10

    @property
    def grants(self) -> int:
        """Each with a refresh token that was used and the one that came after it."""
        return (self.tokens - self.access) // 2

    @property
    def refresh(self) -> int:
        return 2 * self.grants


SMALL: Final = Size(people=500, clients=60, tokens=4_000, audit=10_000)
"""Enough to fill a page of every list but one, and more than an hour of the log on either side of
the middle: what is listed is not compared, nor how far around a time it is looked for."""

WHOLE: Final = Size(people=1_000_000, clients=10_000, tokens=10_000_000, audit=10_000_000)
"""What issue 7 names."""
