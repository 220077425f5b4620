"""Why nothing was fetched from an address that somebody registered."""

from typing import Final

NOWHERE: Final = "its name leads to no public address, or to too many"
"""Whatever the DNS says: which names there are inside is nobody's business."""


class Unfetchable(Exception):
    """Nothing came of it. The text says why, and holds neither address nor body."""


class NotAsked(Unfetchable):
    """It was nobody's turn: so nothing is known of the address."""

    def __init__(self) -> None:
        super().__init__("too many others are under way")
