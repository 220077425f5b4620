"""Everybody's money, in memory: amounts are whole cents."""

import threading
from collections import defaultdict
from dataclasses import dataclass

OPENING = 250_00


class NotEnough(Exception):
    """There is less on the account than the transfer takes."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """``id`` is the client's own: the same one again is the same transfer."""

    id: str
    payee: str
    cents: int


class Accounts:
    """One account a person, opened at first sight."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._transfers: dict[str, dict[str, Transfer]] = defaultdict(dict)

    def balance(self, sub: str) -> int:
        """What the person with the subject identifier ``sub`` has."""
        return OPENING - sum(transfer.cents for transfer in self._transfers[sub].values())

    def transfer(self, sub: str, wanted: Transfer) -> tuple[Transfer, bool]:
        """The transfer under this id, and whether it was made just now. Raises ``NotEnough``."""
        with self._lock:
            if made := self._transfers[sub].get(wanted.id):
                return made, False
            if wanted.cents > self.balance(sub):
                raise NotEnough
            self._transfers[sub][wanted.id] = wanted
            return wanted, True
