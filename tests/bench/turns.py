"""Several providers do the same by turns, so that a noisy machine is noisy to all of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Protocol

from tests.bench.actor import Actor, Registration
from tests.bench.measure import WARM_UP, Limits, Measured, Meter, drive
from tests.bench.operations import OPERATIONS, Operation, Round
from tests.bench.run import STOCK_PER_SECOND
from tests.bench.wire import Connection

PATIENCE: Final = 60.0
"""Seconds for getting warm, at the most."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds for 1,000 operations."""

    server: float
    database: float

    @property
    def whole(self) -> float:
        return self.server + self.database


@dataclass(frozen=True)
class Turns:
    """Each provider is driven ``turns`` times for ``seconds``."""

    seconds: float
    turns: int
    drivers: int = 2
    warm: int = 1000
    """Rounds of each driver before anything counts: a runtime that compiles what runs often was
    seen to take two thousand sign-ins until each cost what the next one does."""
    only: str = ""
    """What the names of the operations have in common, or several such things, with | between."""

    @property
    def limits(self) -> Limits:
        return Limits(self.seconds, max(1, int(self.seconds * STOCK_PER_SECOND)))

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are."""
        return [name for name in names if any(part in name for part in self.only.split("|"))]

    def of(self, names: Sequence[str]) -> list[Operation]:
        """Those of the operations that are wanted."""
        wanted = self.wanted(names)
        return [one for one in OPERATIONS if one.name in wanted]


class Provider(Protocol):
    """What a provider is to the bench."""

    def actor(self, http: Connection, number: int, registration: Registration, /) -> Actor: ...

    def connection(self) -> Connection: ...


def taken(
    operation: Operation,
    providers: Sequence[tuple[Provider, Meter]],
    turns: Turns,
    *,
    settle: Callable[[], None],
) -> list[Cost]:
    """What the operation costs each of them. ``settle`` is done before each is driven."""
    for provider, meter in providers:
        _turn(operation, provider, meter, Limits(PATIENCE, turns.warm), turns.drivers, settle)
    found: list[list[Measured]] = [[] for _ in providers]
    for _ in range(turns.turns):
        for (provider, meter), into in zip(providers, found, strict=True):
            into.append(_turn(operation, provider, meter, turns.limits, turns.drivers, settle))
    return list(map(_cost, found))


def _turn(
    operation: Operation,
    provider: Provider,
    meter: Meter,
    limits: Limits,
    count: int,
    settle: Callable[[], None],
) -> Measured:
    """What is made beforehand is made for one turn: codes do not keep."""
    with ExitStack() as stack:
        drivers: list[Iterator[Round]] = []
        for number in range(count):
            connection = stack.enter_context(provider.connection())
            actor = provider.actor(connection, number, operation.client)
            drivers.append(operation.rounds(actor, limits.most + WARM_UP))
        settle()
        return drive(drivers, meter, limits)


def _cost(found: Sequence[Measured]) -> Cost:
    count = sum(one.count for one in found)

    def mean(of: Callable[[Measured], float | None]) -> float:
        return sum((of(one) or 0.0) * one.count for one in found) / count

    return Cost(mean(lambda one: one.server_cpu), mean(lambda one: one.database_cpu))
