"""The cores that people need follow from what was measured."""

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
