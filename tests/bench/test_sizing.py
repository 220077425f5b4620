"""The cores that people need follow from what was measured."""

from pathlib import Path

import pytest

from tests.bench.measure import Measured
from tests.bench.operations import OPERATIONS
from tests.bench.run import Row
from tests.bench.sizing import A_DAY, PEOPLE, needs
from tests.bench.statements import Statements


def row(name: str, *, server: float, database: float | None) -> Row:
    (operation,) = (one for one in OPERATIONS if one.name == name)
    measured = Measured(1000, server, database, per_second=1.0, p50=1.0, p99=1.0)
    return Row(operation, measured, Statements(), 0.0)


def test_twice_the_cost_is_twice_the_cores_and_people_count_alike() -> None:
    once = needs([row(name, server=1.0, database=0.5) for name in A_DAY])
    twice = needs([row(name, server=2.0, database=0.5) for name in A_DAY])
    assert [one.people for one in once] == list(PEOPLE)
    for one, two in zip(once, twice, strict=True):
        assert two.server == pytest.approx(2 * one.server)
        assert one.database == pytest.approx(one.server / 2)
        assert one.server / one.people == pytest.approx(once[0].server / once[0].people)
        # A millisecond each, and half of every core is left free.
        assert one.server == pytest.approx(one.per_second / 1000 / 0.5)


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert needs([row("introspection", server=1.0, database=None)]) == []


DOCS = Path(__file__).resolve().parents[2] / "docs"


def told_in(text: str) -> list[list[str]]:
    """The cells of every row of its tables."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in one.strip("|").split("|")] for one in rows]


def test_what_sizing_says_follows_from_the_table_that_it_refers_to() -> None:
    performance = (DOCS / "performance.md").read_text(encoding="utf-8")
    measured = performance.partition("\nPostgreSQL, one worker")[2].partition("\n### ")[0]
    costs = {cells[0]: cells[1:3] for cells in told_in(measured) if len(cells) == 10}
    rows = [
        row(name, server=float(costs[name][0]), database=float(costs[name][1])) for name in A_DAY
    ]
    sizing = told_in((DOCS / "sizing.md").read_text(encoding="utf-8"))
    told = {
        int(cells[0].replace(",", "")): [float(one.replace(",", "")) for one in cells[1:]]
        for cells in sizing
        if len(cells) == 4 and cells[0][0].isdigit()
    }
    for need in needs(rows):
        follows = [need.per_second, need.server, need.database]
        # The table has two digits after the point, and what it was made of had more.
        assert told[need.people] == pytest.approx(follows, rel=0.02, abs=0.06)
