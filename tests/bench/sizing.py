"""From what an operation costs to the cores that so many people need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.run import Row

A_DAY: Final[Mapping[str, float]] = {
    "password sign-in": 1,
    "silent sign-in (3 requests), ES256": 5,
    "refresh, RS256": 10,
    "introspection": 20,
}
"""How often one person causes each, on a day that she works with it."""

PEOPLE: Final = (1_000, 1_000_000, 100_000_000)
ACTIVE: Final = 0.5
"""Which part of them comes on one day."""
BUSIEST_HOUR: Final = 0.15
"""Which part of the day's work falls into one hour."""
LOADED: Final = 0.5
"""How busy a core may be at that hour, so that nobody waits in line."""


@dataclass(frozen=True)
class Need:
    """Cores for the busiest hour, and the operations in a second of it."""

    people: int
    server: float
    database: float
    per_second: float


def needs(rows: Sequence[Row]) -> list[Need]:
    """What each of ``PEOPLE`` need; nothing where not all of ``A_DAY`` was measured."""
    found = {row.operation.name: row.measured for row in rows}
    if not A_DAY.keys() <= found.keys():
        return []
    server = sum(times * found[name].server_cpu for name, times in A_DAY.items()) / 1000
    database = sum(times * (found[name].database_cpu or 0) for name, times in A_DAY.items()) / 1000
    return [
        Need(
            people,
            server * _busy(people) / LOADED,
            database * _busy(people) / LOADED,
            sum(A_DAY.values()) * _busy(people),
        )
        for people in PEOPLE
    ]


def _busy(people: int) -> float:
    """How many of them have their whole day's work in one second of the busiest hour."""
    return people * ACTIVE * BUSIEST_HOUR / 3600
