"""The same operations at both providers, taking turns over one database server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Protocol

from tests.bench import floor
from tests.bench.actor import Actor
from tests.bench.measure import WARM_UP, Limits, Measured, Meter, drive
from tests.bench.operations import OPERATIONS, Operation, Round
from tests.bench.peer.provider import Peer, running
from tests.bench.processes import cpu_seconds, resident_bytes
from tests.bench.run import STOCK_PER_SECOND, Progress
from tests.bench.wire import Connection
from tests.bench.world import World, database, world

TARGETS: Mapping[str, float] = {
    "discovery": 1.0,
    "JWKS": 1.0,
    "password sign-in, hash apart": 1.0,
    "silent authorization": 0.8,
    "code redemption, RS256": 0.9,
    "code redemption, ES256": 0.9,
    "userinfo": 0.7,
    "introspection": 0.9,
    "refresh, RS256": 0.8,
    "silent sign-in (3 requests), ES256": 0.8,
}
"""What is compared, and which part of the peer's CPU time each may take."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds for 1,000 operations."""

    server: float
    database: float

    @property
    def whole(self) -> float:
        return self.server + self.database


@dataclass(frozen=True)
class Compared:
    """One operation at both."""

    operation: Operation
    ours: Cost
    theirs: Cost
    floor: float

    @property
    def ratio(self) -> float:
        """Ours of theirs, server and database together."""
        return self.ours.whole / self.theirs.whole

    @property
    def target(self) -> float:
        return TARGETS[self.operation.name]


@dataclass(frozen=True)
class Comparison:
    """``memory`` in bytes: of our worker, and of the peer's process."""

    rows: Sequence[Compared]
    memory: tuple[int, int]


@dataclass(frozen=True)
class Turns:
    """Each provider is driven ``turns`` times for ``seconds``, one after the other."""

    seconds: float
    turns: int
    drivers: int = 2
    only: str = ""

    @property
    def limits(self) -> Limits:
        return Limits(self.seconds, max(1, int(self.seconds * STOCK_PER_SECOND)))

    @property
    def operations(self) -> list[Operation]:
        return [one for one in OPERATIONS if one.name in TARGETS and self.only in one.name]


class Provider(Protocol):
    """What both are to the bench."""

    def actor(self, http: Connection, number: int, algorithm: str, /) -> Actor: ...

    def connection(self) -> Connection: ...


def compare(turns: Turns, progress: Progress) -> Comparison:
    """Do all of it."""
    progress("floor")
    computing = floor.computing(min(turns.seconds, 0.5))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="idp-bench-")))
        found = stack.enter_context(database("postgresql", folder))
        cost = floor.commit(found.url, 0.5, lambda: process_time() + found.cpu_seconds())
        peer = stack.enter_context(running(found.url, folder, turns.drivers))
        ours = stack.enter_context(world(found, folder, cheap_hash=True))
        floors = {**computing, "commit": cost}
        rows = []
        for operation in turns.operations:
            progress(operation.name)
            lowest = sum(floors[name] for name in operation.floor)
            rows.append(_compared(operation, ours, peer, turns, lowest))
        memory = (resident_bytes(ours.server.pid), resident_bytes(peer.server.pid))
        return Comparison(rows, memory)


def _compared(
    operation: Operation, ours: World, peer: Peer, turns: Turns, lowest: float
) -> Compared:
    meters = ours.meter, Meter(lambda: cpu_seconds(peer.server.pid), ours.database.cpu_seconds)
    with ExitStack() as stack:
        drivers = [_drivers(one, operation, turns, stack) for one in (ours, peer)]
        found: tuple[list[Measured], list[Measured]] = ([], [])
        for _ in range(1 + turns.turns):
            for rounds, meter, into in zip(drivers, meters, found, strict=True):
                into.append(drive(rounds, meter, turns.limits))
    # The first turn is for what compiles its code while it runs.
    mine, theirs = (_cost(one[1:]) for one in found)
    return Compared(operation, mine, theirs, lowest)


def _drivers(
    provider: Provider, operation: Operation, turns: Turns, stack: ExitStack
) -> list[Iterator[Round]]:
    most = (1 + turns.turns) * (turns.limits.most + WARM_UP)
    made = []
    for number in range(turns.drivers):
        connection = stack.enter_context(provider.connection())
        actor = provider.actor(connection, number, operation.algorithm)
        made.append(operation.rounds(actor, most))
    return made


def _cost(found: Sequence[Measured]) -> Cost:
    count = sum(one.count for one in found)

    def mean(of: Callable[[Measured], float | None]) -> float:
        return sum((of(one) or 0.0) * one.count for one in found) / count

    return Cost(mean(lambda one: one.server_cpu), mean(lambda one: one.database_cpu))
