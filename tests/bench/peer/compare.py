"""The same operations at both providers, taking turns over one database server."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from tests.bench import floor
from tests.bench.measure import Meter
from tests.bench.operations import Operation
from tests.bench.peer.provider import Peer, running
from tests.bench.processes import cpu_seconds, resident_bytes
from tests.bench.run import Progress
from tests.bench.turns import Cost, Provider, Turns, taken
from tests.bench.world import World, analyze, database, world

TARGETS: Mapping[str, float] = {
    "discovery": 1.0,
    "JWKS": 1.0,
    "password sign-in, hash apart": 1.0,
    "silent authorization": 0.8,
    "code redemption, RS256": 0.9,
    "code redemption, ES256": 0.9,
    "userinfo": 0.7,
    "userinfo, opaque": 0.7,
    "introspection": 0.9,
    "introspection, opaque": 0.9,
    "refresh, RS256": 0.8,
    "silent sign-in (3 requests), ES256": 0.8,
}
"""What is compared, and which part of the peer's CPU time each may take.

The peer's access tokens are opaque: what it is asked about them is asked of ours in both forms.
"""

_AS_QUIET: Final = {"log_level": "WARNING"}
"""The peer writes no line for a request."""


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


def compare(turns: Turns, progress: Progress) -> Comparison:
    """Do all of it."""
    progress("floor")
    computing = floor.computing(min(turns.seconds, 0.5))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="idp-bench-")))
        found = stack.enter_context(database("postgresql", folder))
        cost = floor.commit(found.url, 0.5, lambda: process_time() + found.cpu_seconds())
        peer = stack.enter_context(running(found.url, folder, turns.drivers))
        ours = stack.enter_context(world(found, folder, cheap_hash=True, further=_AS_QUIET))
        floors = {**computing, "commit": cost}
        rows = []
        for operation in turns.of(tuple(TARGETS)):
            progress(operation.name)
            lowest = sum(floors[name] for name in operation.floor)
            rows.append(_compared(operation, ours, peer, turns, lowest))
        memory = (resident_bytes(ours.server.pid), resident_bytes(peer.server.pid))
        return Comparison(rows, memory)


def _compared(
    operation: Operation, ours: World, peer: Peer, turns: Turns, lowest: float
) -> Compared:
    theirs = Meter(lambda: cpu_seconds(peer.server.pid), ours.database.cpu_seconds)
    both: list[tuple[Provider, Meter]] = [(ours, ours.meter), (peer, theirs)]
    mine, others = taken(operation, both, turns, settle=partial(_settle, ours, peer))
    return Compared(operation, mine, others, lowest)


def _settle(ours: World, peer: Peer) -> None:
    """Both planners know what they plan for: a bench is over before autovacuum has come by."""
    for url in (ours.database.url, peer.database_url):
        analyze(url)
