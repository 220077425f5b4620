"""The same in a small database and in a full one, by turns, so that neither has a better hour."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Final

from tests.bench.measure import WARM_UP, drive
from tests.bench.scale.crowd import DRIVERS, Crowd
from tests.bench.scale.databases import Filled
from tests.bench.scale.lists import LISTS, cost_of, known_of
from tests.bench.scale.made_up import Progress
from tests.bench.scale.operations import OPERATIONS, Rounds
from tests.bench.scale.ratio import Ratio, middle_of, ratio_of
from tests.bench.turns import Cost, Turns
from tests.bench.world import World, world

WARM: Final = 16
"""Turns of which nothing is measured. A process of PostgreSQL maps the memory that it shares with
the others page by page as it comes to them, and what is changed for the first time after a
checkpoint is logged with its whole page: both belong to half an hour, and not to its first second.
"""


@dataclass(frozen=True)
class Compared:
    """One operation or list, CPU seconds for 1,000."""

    name: str
    small: Cost
    full: Cost
    ratio: Ratio


@dataclass
class Pair:
    """What came out of one operation, turn by turn, in the small database and the full one."""

    found: tuple[list[Cost], list[Cost]] = field(default_factory=lambda: ([], []))

    def compared(self, name: str) -> Compared:
        small, full = self.found
        return Compared(name, middle_of(small), middle_of(full), ratio_of(small, full))


def operations(databases: Sequence[Filled], turns: Turns, progress: Progress) -> Iterator[Compared]:
    """The operations of the protocol, at a server over each."""
    with ExitStack() as stack:
        sides = [
            _side(one, stack.enter_context(world(one.database, one.folder, cheap_hash=True)))
            for one in databases
        ]
        for name in turns.wanted(OPERATIONS):
            progress(name)
            pair = Pair()
            for side in sides:
                _turn(*side, OPERATIONS[name], replace(turns, seconds=turns.seconds * WARM))
            for which in _order(turns.turns):
                pair.found[which].append(_turn(*sides[which], OPERATIONS[name], turns))
            yield pair.compared(name)


def _side(filled: Filled, running: World) -> tuple[Crowd, World]:
    crowd = Crowd(filled.size, running.server.url, running.house.http())
    with running.connection() as http:
        crowd.greet(http)
    return crowd, running


def lists(databases: Sequence[Filled], turns: Turns, progress: Progress) -> Iterator[Compared]:
    """What is listed and searched, in this process."""
    wanted = turns.wanted(LISTS)
    known = [known_of(one) for one in databases] if wanted else []
    for name in wanted:
        progress(name)
        pair = Pair()
        for which in _order(1 + turns.turns):
            there = databases[which]
            pair.found[which].append(cost_of(LISTS[name], known[which], there, turns.seconds))
        # The first turn is for what compiles its code while it runs.
        yield Pair((pair.found[0][1:], pair.found[1][1:])).compared(name)


def _order(turns: int) -> Iterator[int]:
    """Small, full, full, small, and so on: what gets slower as time goes by does so for both."""
    for turn in range(turns):
        yield turn % 2
        yield 1 - turn % 2


def _turn(crowd: Crowd, running: World, rounds: Rounds, turns: Turns) -> Cost:
    limits = turns.limits
    with ExitStack() as stack:
        drivers = [
            rounds(crowd, stack.enter_context(running.connection()), number, most)
            for number, most in enumerate([limits.most + WARM_UP] * DRIVERS)
        ]
        found = drive(drivers, running.meter, limits)
    return Cost(found.server_cpu, found.database_cpu or 0.0)
