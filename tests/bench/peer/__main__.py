"""``python -m tests.bench.peer``: what the provider costs beside npm's oidc-provider."""

import argparse
import sys
from collections.abc import Sequence

from tests.bench import report
from tests.bench.peer.compare import Compared, Comparison, compare
from tests.bench.progress import progress
from tests.bench.turns import Turns

_COLUMNS = (
    *("operation", "server", "database", "peer's server", "its database", "floor"),
    *("ratio", "target", "reached"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both and print; what is being measured is told on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peer", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.75, help="of one turn (0.75)")
    parser.add_argument("--turns", type=int, default=6, help="of each provider (6)")
    parser.add_argument(
        "--warm", type=int, default=1000, help="rounds of a driver before anything counts (1000)"
    )
    parser.add_argument("--only", default="", help="operations whose name contains this")
    chosen = parser.parse_args(arguments)
    turns = Turns(chosen.seconds, chosen.turns, warm=chosen.warm, only=chosen.only)
    found = compare(turns, progress)
    progress("")
    sys.stdout.write(f"\n{text(found)}\n\n{report.machine()}.\n")


def text(found: Comparison) -> str:
    """The figures as a table."""
    ours, theirs = (f"{size / 2**20:.0f} MiB" for size in found.memory)
    return "\n\n".join(
        (
            "CPU seconds for 1,000 operations, both over the same PostgreSQL, taking turns.",
            report.markdown(_COLUMNS, list(map(_row, found.rows))),
            f"Resident: {ours} in our worker, {theirs} in the peer's process.",
        )
    )


def _row(row: Compared) -> list[str]:
    costs = (row.ours.server, row.ours.database, row.theirs.server, row.theirs.database)
    return [
        row.operation.name,
        *(f"{cost:.2f}" for cost in costs),
        f"{row.floor:.2f}" if row.floor else "–",
        f"{row.ratio:.2f}",
        f"{row.target:.1f}",
        "yes" if row.ratio <= row.target else "no",
    ]


if __name__ == "__main__":
    main()
