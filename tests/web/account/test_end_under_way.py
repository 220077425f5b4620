"""A change that somebody makes while everything she has open is being ended elsewhere."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from idp.models import db
from idp.services.sessions import SEEN_EVERY
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.ports import wait_until
from tests.web.account.test_authenticator_app import code, seed_of
from tests.web.account.visits import entered, kinds, press

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.fixture
def house(postgresql_url: str, clock: FakeClock) -> House:
    return House(postgresql_url, clock)


def test_neither_is_given_up_for_the_other(house: House) -> None:
    """The page notes when the session was seen; if that stayed locked, each would wait for what
    the other has, and PostgreSQL would end one of them."""
    alice = house.person()
    agent, page = entered(house, alice, "/me/security/totp")
    house.clock.advance(seconds=SEEN_EVERY.total_seconds() + 1)
    otp = code(house, seed_of(page))
    with house.app.app_context(), ThreadPoolExecutor() as threads:
        with db.engine.connect() as ending, db.engine.connect() as looking:
            ending.execute(text("SELECT id FROM users FOR NO KEY UPDATE"))
            done = threads.submit(press, agent, page, "/security/totp", otp=otp)
            wait_until(lambda: bool(looking.scalar(WAITING)), seconds=20, what="the lock")
            ending.execute(text("UPDATE sessions SET ended_at = NULL"))
            ending.rollback()
            assert done.result(timeout=30).status == 200
        db.session.remove()
        db.engine.dispose()
    assert "totp" in kinds(house, alice)
