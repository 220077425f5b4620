"""One database after the other: every operation measured, and the floor beside it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from tests.bench import floor
from tests.bench.measure import WARM_UP, Limits, Measured, drive
from tests.bench.operations import OPERATIONS, Operation
from tests.bench.processes import resident_bytes
from tests.bench.statements import Statements, count
from tests.bench.world import Kind, World, analyze, database, world

STOCK_PER_SECOND = 250
"""Codes are made before they are redeemed: as many as may be redeemed in the time there is."""


@dataclass(frozen=True)
class Plan:
    """``seconds`` are those of one measurement; ``drivers`` ask at the same time."""

    seconds: float
    drivers: int = 2
    kinds: tuple[Kind, ...] = ("sqlite", "postgresql")
    only: str = ""
    """What the names of the operations have in common; all of them when empty."""

    def operations(self, *, hashes: bool) -> list[Operation]:
        """Those that one server is started for."""
        return [one for one in OPERATIONS if one.hashes == hashes and self.only in one.name]

    def limits(self, operation: Operation) -> Limits:
        stocked = operation.name.startswith("code redemption")
        most = max(1, int(self.seconds * STOCK_PER_SECOND)) if stocked else 1_000_000
        return Limits(self.seconds, most)


@dataclass(frozen=True)
class Row:
    """One operation on one database. ``floor`` is CPU seconds for 1,000, like the others."""

    operation: Operation
    measured: Measured
    statements: Statements
    floor: float


@dataclass(frozen=True)
class Table:
    """All operations on one database. ``memory`` is the worker's, in bytes, at the end."""

    kind: Kind
    rows: Sequence[Row]
    commit: float
    memory: int


@dataclass(frozen=True)
class Report:
    """``computing`` and every ``commit``: CPU seconds for 1,000."""

    computing: Mapping[str, float]
    tables: Sequence[Table]


Progress = Callable[[str], None]


def measure(plan: Plan, progress: Progress) -> Report:
    """Do all of it."""
    progress("floor")
    computing = floor.computing(min(plan.seconds, 1.0))
    tables = [_table(kind, plan, computing, progress) for kind in plan.kinds]
    return Report(computing, tables)


def _table(kind: Kind, plan: Plan, computing: Mapping[str, float], progress: Progress) -> Table:
    with TemporaryDirectory(prefix="idp-bench-") as name, database(kind, Path(name)) as found:
        progress(f"{kind}: commit")
        commit = floor.commit(
            found.url, min(plan.seconds, 1.0), lambda: process_time() + found.cpu_seconds()
        )
        floors = {**computing, "commit": commit}
        rows: list[Row] = []
        memory = 0
        for hashes in (False, True):
            if not (operations := plan.operations(hashes=hashes)):
                continue
            with world(found, Path(name), cheap_hash=not hashes) as running:
                for operation in operations:
                    progress(f"{kind}: {operation.name}")
                    rows.append(_row(operation, running, plan, floors))
                memory = max(memory, resident_bytes(running.server.pid))
        rows.sort(key=lambda row: OPERATIONS.index(row.operation))
        return Table(kind, rows, commit, memory)


def _row(operation: Operation, running: World, plan: Plan, floors: Mapping[str, float]) -> Row:
    limits = plan.limits(operation)
    statements = count(running, operation)
    with ExitStack() as stack:
        drivers = []
        for number in range(plan.drivers):
            connection = stack.enter_context(running.connection())
            actor = running.actor(connection, number, operation.client)
            drivers.append(operation.rounds(actor, limits.most + WARM_UP))
        if running.database.pid is not None:
            analyze(running.database.url)
        measured = drive(drivers, running.meter, limits)
    lowest = sum(floors[name] for name in operation.floor)
    return Row(operation, measured, statements, lowest)
