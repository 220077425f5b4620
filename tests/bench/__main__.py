"""``python -m tests.bench``: what the provider costs, as a table."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from time import perf_counter

from tests.bench import report, second
from tests.bench.progress import progress
from tests.bench.run import Plan, measure
from tests.bench.scale import text
from tests.bench.scale.compare import lists
from tests.bench.scale.databases import filled
from tests.bench.scale.lists import LISTS
from tests.bench.scale.size import SMALL, Size
from tests.bench.turns import Turns
from tests.bench.world import Kind


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; what is being measured is told on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half a second each: a rough idea")
    parser.add_argument("--seconds", type=float, default=1.5, help="of one measurement (1.5)")
    parser.add_argument("--drivers", type=int, default=2, help="requests at the same time (2)")
    parser.add_argument("--turns", type=int, default=5, help="of one process and of two (5)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--only", default="", help="operations whose name contains this")
    parser.add_argument(
        "--people", type=int, default=20_000, help="that lists are measured with (20000)"
    )
    chosen = parser.parse_args(arguments)
    plan = Plan(
        seconds=min(chosen.seconds, 0.5) if chosen.quick else chosen.seconds,
        drivers=chosen.drivers,
        kinds=tuple(chosen.database or ("sqlite", "postgresql")),
        only=chosen.only,
    )
    started = perf_counter()
    parts = [report.text(measure(plan, progress))]
    if not plan.only:
        parts.append(
            report.second(second.measure(plan.kinds, plan.seconds, chosen.turns, progress))
        )
    turns = Turns(plan.seconds / 15, turns=3, only=plan.only)
    parts += [
        listed(kind, Size.of(chosen.people), turns) for kind in plan.kinds if turns.wanted(LISTS)
    ]
    progress("")
    parts.append(f"{report.machine()}; measured in {perf_counter() - started:.0f} s.")
    sys.stdout.write("\n" + "\n\n".join(parts) + "\n")


def listed(kind: Kind, size: Size, turns: Turns) -> str:
    """What is listed and searched, in a small database and in one with something in it."""
    with ExitStack() as stack:
        both = [stack.enter_context(filled(kind, one, progress)) for one in (SMALL, size)]
        return text.table(kind, both, [*lists(both, turns, progress)])


if __name__ == "__main__":
    main()
