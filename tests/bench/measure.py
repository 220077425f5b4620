"""Drives rounds from several connections at once and says what they cost."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from statistics import quantiles
from threading import Barrier
from time import perf_counter

from tests.bench.operations import Round

WARM_UP = 10
"""Rounds that each driver does before anything is measured."""


@dataclass(frozen=True)
class Measured:
    """CPU in seconds for 1,000 operations, latencies in milliseconds."""

    count: int
    server_cpu: float
    database_cpu: float | None
    per_second: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Meter:
    """Reads the CPU seconds used so far; ``database`` is None where it is in the server."""

    server: Callable[[], float]
    database: Callable[[], float] | None

    def read(self) -> tuple[float, float]:
        return self.server(), self.database() if self.database else 0.0


@dataclass(frozen=True)
class Limits:
    """Whatever comes first ends a measurement."""

    seconds: float
    most: int


def drive(drivers: Sequence[Iterator[Round]], meter: Meter, limits: Limits) -> Measured:
    """Every driver does its rounds, all at once."""
    for rounds in drivers:
        for warm_up in islice(rounds, WARM_UP):
            warm_up()
    gate = Barrier(len(drivers) + 1)
    with ThreadPoolExecutor(len(drivers)) as pool, ExitStack() as stack:
        stack.callback(gate.abort)
        running = [pool.submit(_run, rounds, gate, limits) for rounds in drivers]
        before = meter.read()
        started = perf_counter()
        gate.wait()
        latencies = [latency for one in running for latency in one.result()]
        elapsed = perf_counter() - started
        after = meter.read()
    thousands = len(latencies) / 1000
    # Two at least, and the 99th of 100 parts.
    cuts = quantiles(latencies * 2, n=100, method="inclusive")
    return Measured(
        count=len(latencies),
        server_cpu=(after[0] - before[0]) / thousands,
        database_cpu=(after[1] - before[1]) / thousands if meter.database else None,
        per_second=len(latencies) / elapsed,
        p50=cuts[49] * 1000,
        p99=cuts[98] * 1000,
    )


def _run(rounds: Iterator[Round], gate: Barrier, limits: Limits) -> list[float]:
    gate.wait()
    latencies: list[float] = []
    deadline = perf_counter() + limits.seconds
    for one in islice(rounds, limits.most):
        started = perf_counter()
        one()
        ended = perf_counter()
        latencies.append(ended - started)
        if ended >= deadline:
            break
    return latencies
