"""What a second process brings, where there is a second core for it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.actor import Actor, Registration
from tests.bench.measure import Limits, Measured, drive
from tests.bench.operations import Round
from tests.bench.shares import held
from tests.bench.wire import Connection
from tests.bench.world import Kind, World, database, world

DRIVERS = 4
"""Connections at once: two a process, so that none of the processes ever waits for work."""

SHARE = 0.4
"""Of a core, for each process in turn: what is left of two is more than the database and whoever
asks can use, as the cores of other machines would be."""


def _jwks(actor: Actor) -> None:
    actor.get("/oauth/jwks")


def _userinfo(actor: Actor) -> None:
    actor.userinfo(actor.redeem(actor.sign_in(actor.jar))["access_token"])


ASKED = {"JWKS": _jwks, "userinfo": _userinfo}
"""What is asked again and again, byte for byte: the driver works on the same two cores."""


@dataclass(frozen=True)
class Second:
    """One operation by one process and by two. All are medians over the turns.

    ``held`` is the same as ``per_second`` where each has a ``SHARE`` and no more, or None where
    that cannot be had. CPU is the server's, in seconds for 1,000 operations.
    """

    name: str
    kind: Kind
    per_second: tuple[float, float]
    held: tuple[float, float] | None
    cpu: tuple[float, float]


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
                taken = [_turn(one, two, ask, seconds) for _ in range(turns)]
                found.append(_second(operation, kind, taken))
    return found


Turn = tuple[Measured, Measured, Measured | None, Measured | None]


def _turn(one: World, two: World, ask: Callable[[Actor], None], seconds: float) -> Turn:
    return (
        _driven(one, ask, seconds),
        _driven(two, ask, seconds),
        _held(one, ask, seconds),
        _held(two, ask, seconds),
    )


def _held(running: World, ask: Callable[[Actor], None], seconds: float) -> Measured | None:
    with held(running.server.pid, SHARE) as is_held:
        return _driven(running, ask, seconds) if is_held else None


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


def _second(name: str, kind: Kind, turns: Sequence[Turn]) -> Second:
    one, two, one_held, two_held = zip(*turns, strict=True)
    return Second(
        name,
        kind,
        (_per_second(one), _per_second(two)),
        (_per_second(one_held), _per_second(two_held)) if None not in one_held + two_held else None,
        (median(turn.server_cpu for turn in one), median(turn.server_cpu for turn in two)),
    )


def _per_second(turns: Iterable[Measured]) -> float:
    return median(turn.per_second for turn in turns)
