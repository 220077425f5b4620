"""``python -m tests.bench``: what the provider costs, as a table."""

import argparse
import sys
from collections.abc import Sequence
from time import perf_counter

from tests.bench import report, second
from tests.bench.run import Plan, measure


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; what is being measured is told on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half a second each: a rough idea")
    parser.add_argument("--seconds", type=float, default=1.5, help="of one measurement (1.5)")
    parser.add_argument("--drivers", type=int, default=2, help="requests at the same time (2)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--only", default="", help="operations whose name contains this")
    chosen = parser.parse_args(arguments)
    plan = Plan(
        seconds=min(chosen.seconds, 0.5) if chosen.quick else chosen.seconds,
        drivers=chosen.drivers,
        kinds=tuple(chosen.database or ("sqlite", "postgresql")),
        only=chosen.only,
    )
    started = perf_counter()
    found = measure(plan, progress)
    both = second.measure(plan.kinds, plan.seconds, progress) if not plan.only else []
    progress("")
    told = report.text(found) + (f"\n\n{report.second(both)}" if both else "")
    sys.stdout.write(f"\n{told}\n\n{report.machine()}; ")
    sys.stdout.write(f"measured in {perf_counter() - started:.0f} s.\n")


def progress(what: str) -> None:
    """Tell on standard error what is being measured, where somebody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what}")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
