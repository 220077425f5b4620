"""The comparison as a table."""

from collections.abc import Sequence
from typing import Final

from tests.bench import report
from tests.bench.scale.compare import Compared
from tests.bench.scale.databases import Filled
from tests.bench.world import Kind

AIM: Final = 1.1
_COLUMNS: Final = ("", "small", "its database", "full", "its database", "ratio", "between", "1.1?")


def table(kind: Kind, both: Sequence[Filled], rows: Sequence[Compared]) -> str:
    """With what it says above it; the ratio is of server and database together."""
    small, full = both
    return f"{_head(kind, small, full)}\n\n{report.markdown(_COLUMNS, [_row(row) for row in rows])}"


def _head(kind: Kind, small: Filled, full: Filled) -> str:
    """What was compared."""
    size, less = full.size, small.size
    memory = " on huge pages" if small.huge_pages and full.huge_pages else ""
    return (
        f"CPU seconds for 1,000, {report.NAMES[kind]}{memory}, with {less.people:,} people, "
        f"{less.clients:,} clients, {less.tokens:,} tokens and {less.audit:,} events (small) and "
        f"with {size.people:,}, {size.clients:,}, {size.tokens:,} and {size.audit:,} (full: "
        f"{full.disk / 2**30:,.1f} GiB, filled in {full.seconds:.0f} s)."
    )


def _row(row: Compared) -> list[str]:
    costs = (row.small.server, row.small.database, row.full.server, row.full.database)
    ratio = row.ratio
    return [
        row.name,
        *(f"{cost:.2f}" for cost in costs),
        f"{ratio.middle:.2f}",
        f"{ratio.low:.2f}–{ratio.high:.2f}",
        _verdict(row),
    ]


def _verdict(row: Compared) -> str:
    if row.ratio.high <= AIM:
        return "within"
    return "above" if row.ratio.low > AIM else "unsure"
