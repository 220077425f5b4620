"""How often PostgreSQL is waited for, where a wait too many was found once."""

from collections.abc import Iterator

import pytest

from idp.models import db
from tests.bench.actor import Actor
from tests.bench.operations import OPERATIONS
from tests.bench.statements import Statements, counting
from tests.bench.wire import InProcess
from tests.bench.world import CHEAP_HASH
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[House]:
    with databases.fresh("postgresql") as url:
        made = House(url, FakeClock(), **CHEAP_HASH)
        yield made
        with made.app.app_context():
            db.engine.dispose()


def trips_of(house: House, name: str) -> Statements:
    """Those of a round that is like all before it."""
    (operation,) = (one for one in OPERATIONS if one.name == name)
    client = house.client(**operation.client.members)
    person = house.person(email=f"{len(name)}@example.com")
    actor = Actor(InProcess(house.app, house.settings.issuer), person, client, clock=house.clock)
    rounds = operation.rounds(actor, 3)
    for _ in range(2):
        next(rounds)()
    with house.app.app_context():
        engine = db.engine
    with counting(engine) as counted:
        next(rounds)()
    return counted


@pytest.mark.parametrize(
    "name", ["userinfo", "userinfo, opaque", "introspection", "introspection, opaque"]
)
def test_reading_alone_is_one_wait(house: House, name: str) -> None:
    """One statement, and no transaction around it."""
    counted = trips_of(house, name)
    assert (counted.trips, len(counted.texts)) == (1, 1), counted.texts


@pytest.mark.parametrize(
    ("name", "trips"),
    [
        ("password sign-in, hash apart", 7),
        ("silent authorization", 2),
        ("code redemption, ES256", 1),
        ("refresh, RS256", 1),
    ],
)
def test_no_wait_too_many(house: House, name: str, trips: int) -> None:
    counted = trips_of(house, name)
    assert counted.trips == trips, counted.texts
