"""What a second process brings, where there is a second core for it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.actor import Actor, Registration
from tests.bench.measure import Limits, Measured, drive
from tests.bench.operations import Round
from tests.bench.wire import Connection
from tests.bench.world import Kind, World, database, world

DRIVERS = 4
"""Connections at once: two a process, so that none of the processes ever waits for work."""


def _jwks(actor: Actor) -> None:
    actor.get("/oauth/jwks")


def _userinfo(actor: Actor) -> None:
    actor.userinfo(actor.redeem(actor.sign_in(actor.jar))["access_token"])


ASKED = {"JWKS": _jwks, "userinfo": _userinfo}
"""What is asked again and again, byte for byte: the driver works on the same two cores."""


@dataclass(frozen=True)
class Second:
    """One operation by one process and by two. ``per_second`` and ``cpu`` are medians over all
    turns; CPU is the server's, in seconds for 1,000 operations."""

    name: str
    kind: Kind
    per_second: tuple[float, float]
    cpu: tuple[float, float]

    @property
    def times(self) -> float:
        """How many times as much both do together."""
        return self.per_second[1] / self.per_second[0]

    @property
    def apart(self) -> float:
        """The same where nothing else needed their cores: by what the work costs them."""
        return 2 * self.cpu[0] / self.cpu[1]


def measure(
    kinds: Sequence[Kind], seconds: float, turns: int, progress: Callable[[str], None]
) -> list[Second]:
    """Both take turns over the same database, so many at every operation."""
    found: list[Second] = []
    for kind in kinds:
        with TemporaryDirectory(prefix="idp-bench-") as name, ExitStack() as stack:
            kept = stack.enter_context(database(kind, Path(name)))
            one, two = (
                stack.enter_context(world(kept, Path(name), cheap_hash=True, workers=workers))
                for workers in (1, 2)
            )
            for operation, ask in ASKED.items():
                progress(f"{kind}: {operation}, a second process")
                taken = [
                    (_driven(one, ask, seconds), _driven(two, ask, seconds)) for _ in range(turns)
                ]
                found.append(_second(operation, kind, taken))
    return found


def _driven(running: World, ask: Callable[[Actor], None], seconds: float) -> Measured:
    with ExitStack() as stack:
        drivers = [
            _rounds(stack.enter_context(running.connection()), running, number, ask)
            for number in range(DRIVERS)
        ]
        return drive(drivers, running.meter, Limits(seconds, 1_000_000))


def _rounds(
    connection: Connection, running: World, number: int, ask: Callable[[Actor], None]
) -> Iterator[Round]:
    ask(running.actor(connection, number, Registration("ES256")))
    return repeat(connection.again)


def _second(name: str, kind: Kind, turns: Sequence[tuple[Measured, Measured]]) -> Second:
    one, two = zip(*turns, strict=True)
    return Second(
        name,
        kind,
        (median(turn.per_second for turn in one), median(turn.per_second for turn in two)),
        (median(turn.server_cpu for turn in one), median(turn.server_cpu for turn in two)),
    )
