"""Whoever is made up by the million can do what real people do."""

from collections.abc import Iterator
from itertools import islice

import pytest

from idp.clock import system_clock
from idp.models import db
from tests.bench.scale.crowd import DRIVERS, Crowd
from tests.bench.scale.fill import fill
from tests.bench.scale.operations import OPERATIONS
from tests.bench.scale.size import Size
from tests.bench.wire import InProcess
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House

SIZE = Size(people=40, clients=5, tokens=200, audit=20)
ROUNDS = 3


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[House]:
    with databases.fresh("sqlite") as url:
        fill(url, SIZE, lambda _: None)
        made = House(url, FakeClock(system_clock()))
        yield made
        with made.app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="module")
def http(house: House) -> InProcess:
    return InProcess(house.app, house.settings.issuer)


@pytest.fixture(scope="module")
def crowd(house: House) -> Crowd:
    return Crowd(SIZE, house.settings.issuer, house.http())


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_works_for_any_of_them(crowd: Crowd, http: InProcess, name: str) -> None:
    crowd.greet(http)
    for driver in range(DRIVERS):
        rounds = list(islice(OPERATIONS[name](crowd, http, driver, ROUNDS), ROUNDS))
        for one in rounds:
            one()
        assert len(rounds) == ROUNDS


def test_nobody_is_anybody_at_the_same_time(crowd: Crowd) -> None:
    first, second = (set(islice(crowd.numbers(driver), 200)) for driver in range(DRIVERS))
    assert first
    assert not first & second
