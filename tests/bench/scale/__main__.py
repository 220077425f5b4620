"""``python -m tests.bench.scale``: what an operation costs in a full database and a small one."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from time import perf_counter

from tests.bench import report
from tests.bench.progress import progress
from tests.bench.scale import compare, text
from tests.bench.scale.databases import filled
from tests.bench.scale.size import SMALL, WHOLE, Size
from tests.bench.turns import Turns
from tests.bench.world import Kind


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    for name in ("people", "clients", "tokens", "audit"):
        parser.add_argument(f"--{name}", type=int, default=getattr(WHOLE, name))
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--seconds", type=float, default=0.5, help="of one turn (0.5)")
    parser.add_argument("--turns", type=int, default=12, help="in each database (12)")
    parser.add_argument(
        "--only", default="", help="what is called something with this; or with that: this|that"
    )
    chosen = parser.parse_args(arguments)
    size = Size(chosen.people, chosen.clients, chosen.tokens, chosen.audit)
    turns = Turns(chosen.seconds, chosen.turns, only=chosen.only)
    started = perf_counter()
    for kind in chosen.database or ("sqlite", "postgresql"):
        sys.stdout.write(f"\n{compared(kind, size, turns)}\n")
        sys.stdout.flush()
    took = perf_counter() - started
    sys.stdout.write(f"\n{report.machine()}; measured in {took:.0f} s.\n")


def compared(kind: Kind, size: Size, turns: Turns) -> str:
    """One database: what it says of it."""
    with ExitStack() as stack:
        both = [stack.enter_context(filled(kind, one, progress)) for one in (SMALL, size)]
        rows = [*compare.operations(both, turns, progress)]
        # In this process a turn is as good when it is shorter.
        rows += compare.lists(both, replace(turns, seconds=turns.seconds / 5), progress)
        progress("")
        return text.table(kind, both, rows)


if __name__ == "__main__":
    main()
