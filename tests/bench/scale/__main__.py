"""``python -m tests.bench.scale``: what an operation costs in a full database and a small one."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.bench import report
from tests.bench.__main__ import progress
from tests.bench.scale.fill import Size, disk_bytes, fill
from tests.bench.scale.lists import LISTS, cost_of
from tests.bench.turns import Cost, Turns, taken
from tests.bench.world import Kind, World, database, world

OPERATIONS = (
    "password sign-in, hash apart",
    "silent authorization",
    "code redemption, ES256",
    "userinfo",
    "introspection",
    "refresh, RS256",
)
_COLUMNS = ("operation", "small", "its database", "full", "its database", "ratio")

SMALL = Size(people=500, clients=20, tokens=1_000, audit=1_000)
"""Enough to fill a page of every list: what is listed is not what is compared."""


@dataclass(frozen=True)
class Compared:
    """One operation or list, CPU seconds for 1,000."""

    name: str
    small: Cost
    full: Cost


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--tokens", type=int, default=10_000_000)
    parser.add_argument("--audit", type=int, default=10_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--seconds", type=float, default=0.75, help="of one turn (0.75)")
    parser.add_argument("--turns", type=int, default=4, help="in each database (4)")
    chosen = parser.parse_args(arguments)
    size = Size(chosen.people, chosen.clients, chosen.tokens, chosen.audit)
    started = perf_counter()
    with _worlds(chosen.database, size) as (small, full):
        filled, disk = perf_counter() - started, disk_bytes(full.database.url)
        rows = list(_compared(small, full, Turns(chosen.seconds, chosen.turns)))
    progress("")
    sys.stdout.write(f"\n{text(chosen.database, size, filled, rows)}\n\n")
    sys.stdout.write(f"On disk: {disk / 2**20:,.0f} MiB. {report.machine()}.\n")


@contextmanager
def _worlds(kind: Kind, size: Size) -> Iterator[tuple[World, World]]:
    """A server over a small database, and one over a database of this size."""
    with ExitStack() as stack:
        made = []
        for name, wanted in (("small", SMALL), ("full", size)):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix=f"idp-bench-{name}-")))
            found = stack.enter_context(database(kind, folder))
            fill(found.url, wanted, progress)
            made.append(stack.enter_context(world(found, folder, cheap_hash=True)))
        yield made[0], made[1]


def _compared(small: World, full: World, turns: Turns) -> Iterator[Compared]:
    for operation in turns.of(OPERATIONS):
        progress(operation.name)
        in_small, in_full = taken(operation, [(small, small.meter), (full, full.meter)], turns)
        yield Compared(operation.name, in_small, in_full)
    for name in LISTS:
        progress(name)
        yield Compared(f"list: {name}", cost_of(name, small), cost_of(name, full))


def text(kind: Kind, size: Size, filled: float, rows: Sequence[Compared]) -> str:
    """The figures as a table."""
    there = (
        f"{size.people:,} people, {size.clients:,} clients, {size.tokens:,} refresh tokens, "
        f"{size.audit:,} audit events; filled in {filled:.0f} s."
    )
    table = report.markdown(_COLUMNS, [_row(row) for row in rows])
    return f"CPU seconds for 1,000, {kind}, in a small database and in one with {there}\n\n{table}"


def _row(row: Compared) -> list[str]:
    costs = (row.small.server, row.small.database, row.full.server, row.full.database)
    ratio = row.full.whole / row.small.whole if row.small.whole else 1.0
    return [row.name, *(f"{cost:.2f}" for cost in costs), f"{ratio:.2f}"]


if __name__ == "__main__":
    main()
