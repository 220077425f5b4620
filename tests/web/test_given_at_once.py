"""An access token straight from the authorization endpoint, while what it rests on is ended."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from idp.models import Consent, Grant, db
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.ports import wait_until
from tests.helpers.relying_party import RelyingParty
from tests.web.walking import enter, newcomer, press, shown, signed_in, told

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
ENDS = {
    "the session": "UPDATE sessions SET ended_at = now()",
    "the consent": "DELETE FROM consents",
}


@pytest.fixture
def house(postgresql_url: str, clock: FakeClock) -> House:
    return House(postgresql_url, clock)


@pytest.fixture
def app(house: House) -> RelyingParty:
    """Whose tokens come by the fragment."""
    types = ["code", "id_token token"]
    return house.client(response_types=types, grant_types=["authorization_code", "implicit"])


def test_nor_to_who_allows_it_in_a_session_that_is_being_ended(
    house: House, app: RelyingParty
) -> None:
    alice, agent = newcomer(house), house.browser()
    url = app.authorization_url(response_type="id_token token")
    page = shown(enter(agent, agent.page(url), alice))
    with house.app.app_context(), ThreadPoolExecutor() as threads:
        with db.engine.connect() as ending, db.engine.connect() as looking:
            ending.execute(text(ENDS["the session"]))
            pressed = threads.submit(press, agent, page, "/consent", "Allow")
            wait_until(lambda: bool(looking.scalar(WAITING)), seconds=20, what="the lock")
            ending.commit()
            answer = told(pressed.result(timeout=30))
        assert (answer["error"], "access_token" in answer) == ("login_required", False)
        assert db.session.scalars(select(Grant.id)).all() == []
        assert db.session.scalars(select(Consent.id)).all() == []
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_it_waits_for_an_end_under_way_and_is_not_given(
    house: House, app: RelyingParty, end: str
) -> None:
    """Which has looked for grants already, and found none of this."""
    agent = signed_in(house, app, newcomer(house))
    url = app.authorization_url(response_type="id_token token", prompt="none")
    assert "access_token" in told(agent.get(url))
    with house.app.app_context(), ThreadPoolExecutor() as threads:
        before = set(db.session.scalars(select(Grant.id)))
        db.session.rollback()
        with db.engine.connect() as ending, db.engine.connect() as looking:
            ending.execute(text(end))
            asked = threads.submit(agent.get, url)
            wait_until(lambda: bool(looking.scalar(WAITING)), seconds=20, what="the lock")
            ending.commit()
            answer = told(asked.result(timeout=30))
        assert (answer["error"], "access_token" in answer) == ("login_required", False)
        assert set(db.session.scalars(select(Grant.id))) == before
        db.session.remove()
        db.engine.dispose()
