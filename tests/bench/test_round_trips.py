"""How often PostgreSQL is waited for, where a wait too many was found once."""

from idp.models import db
from tests.bench.actor import Actor
from tests.bench.operations import OPERATIONS
from tests.bench.statements import counting
from tests.bench.wire import InProcess
from tests.helpers.clock import FakeClock
from tests.helpers.house import House


def test_reading_alone_neither_begins_nor_rolls_back(postgresql_url: str, clock: FakeClock) -> None:
    house = House(postgresql_url, clock)
    client = house.client(grant_types=["authorization_code", "refresh_token"])
    actor = Actor(InProcess(house.app, house.settings.issuer), house.person(), client)
    (userinfo,) = (one for one in OPERATIONS if one.name == "userinfo")
    round_ = next(userinfo.rounds(actor, 1))
    with house.app.app_context():
        engine = db.engine
    with counting(engine) as counted:
        round_()
    engine.dispose()
    assert counted.trips == len(counted.texts) + counted.pings
    assert counted.texts
