"""The figures as tables: aligned for a terminal, and Markdown as they stand."""

import platform
from collections.abc import Sequence
from pathlib import Path

from tests.bench.run import Report, Row, Table
from tests.bench.second import SHARE, Second
from tests.bench.sizing import needs

_COLUMNS = (
    "operation",
    "server",
    "database",
    "floor",
    "op/s",
    "p50 ms",
    "p99 ms",
    "SQL",
    "commits",
    "trips",
)
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def text(report: Report) -> str:
    """Everything that was found out."""
    parts = [
        "CPU seconds for 1,000 operations (the same number is milliseconds for one).",
        _floor(report),
    ]
    parts += [_operations(table) for table in report.tables]
    return "\n\n".join(parts)


def machine() -> str:
    """What it was measured on, in one line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    return f"{cores} cores ({model}), {platform.system()}, Python {platform.python_version()}"


def _floor(report: Report) -> str:
    rows = [[name, f"{seconds:.3f}"] for name, seconds in report.computing.items()]
    rows += [[f"commit, {NAMES[table.kind]}", f"{table.commit:.3f}"] for table in report.tables]
    return markdown(("floor", "CPU s / 1,000"), rows)


def _operations(table: Table) -> str:
    memory = f"{table.memory / 2**20:.0f} MiB resident in the worker"
    rows = [_row(row) for row in table.rows]
    return (
        f"{NAMES[table.kind]}, one worker ({memory})\n\n{markdown(_COLUMNS, rows)}{_needs(table)}"
    )


def _needs(table: Table) -> str:
    """Only for the database that many people share."""
    found = needs(table.rows) if table.kind == "postgresql" else []
    if not found:
        return ""
    rows = [
        [
            f"{need.people:,}",
            f"{need.per_second:,.1f}",
            f"{need.server:,.2f}",
            f"{need.database:,.2f}",
        ]
        for need in found
    ]
    head = ("people", "operations a second", "cores, server", "cores, database")
    return f"\n\nCores at the busiest hour\n\n{markdown(head, rows)}"


def _row(row: Row) -> list[str]:
    found = row.measured
    return [
        row.operation.name,
        f"{found.server_cpu:.2f}",
        "–" if found.database_cpu is None else f"{found.database_cpu:.2f}",
        f"{row.floor:.2f}" if row.floor else "–",
        f"{found.per_second:.0f}",
        f"{found.p50:.1f}",
        f"{found.p99:.1f}",
        str(len(row.statements.texts)),
        str(row.statements.commits),
        "–" if found.database_cpu is None else str(row.statements.trips),
    ]


def second(found: Sequence[Second]) -> str:
    """What a second process brings."""
    rows = [
        [
            f"{one.name}, {NAMES[one.kind]}",
            *_times(one.per_second),
            *_times(one.held),
            *(f"{value:.2f}" for value in one.cpu),
        ]
        for one in found
    ]
    rate = ("one, op/s", "two, op/s", "times")
    held = (f"one, {SHARE:.0%}", f"two, {SHARE:.0%}", "times")
    return markdown(("a second process", *rate, *held, "one, CPU", "two, CPU"), rows)


def _times(per_second: tuple[float, float] | None) -> list[str]:
    if per_second is None:
        return ["–"] * 3
    one, two = per_second
    return [f"{one:.0f}", f"{two:.0f}", f"{two / one:.2f}"]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = [f"{'-' * (width - 1)}:" if i else "-" * width for i, width in enumerate(widths)]
    return "\n".join(_line(cells, widths) for cells in (head, rule, *rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    aligned = [first.ljust(widths[0])]
    aligned += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return f"| {' | '.join(aligned)} |"
