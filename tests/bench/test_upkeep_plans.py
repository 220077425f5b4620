"""What has to go is found by an index, on either database, however much there is that stays."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from idp.audit import Context
from idp.models import BrowserSession, Entry, Grant, OutboxMessage, db
from idp.services import outliving, person_words, session_clients
from idp.services.cleanup import clean_up
from idp.web.services import Services
from tests.bench.statements import counting
from tests.bench.test_listing_plans import plans
from tests.bench.test_plans import plan
from tests.helpers.clock import NOON, FakeClock
from tests.helpers.house import House

LONG_AGO = NOON - timedelta(days=100)
FEW = ("client_secrets", "registration_tokens", "counters")
"""As many as there are applications, and what has happened in a day. Every sign-in counts, and none
shall write to one more index: so the counters are read when they are cleaned up."""
FOUND = ("SCAN doomed", "SCAN CONSTANT ROW")

LOOKS: Mapping[str, Callable[[Services], object]] = {
    "what has expired": lambda _: clean_up(NOON),
    "people who leave": lambda idp: idp.deletion.delete_due(NOON),
    "people without words": lambda _: person_words.complete(NOON),
    "mail that is due": lambda idp: idp.outbox.deliver_due(NOON),
}


def some(house: House) -> None:
    """Something of each kind that is in the way."""
    user_id = house.person().id
    times = {"created_at": LONG_AGO, "expires_at": LONG_AGO}
    with house.app.app_context():
        session = BrowserSession(id="over", user_id=user_id, last_seen_at=LONG_AGO, **times)
        proof = {"scope": "", "acr": "", "amr": "", "auth_time": LONG_AGO}
        grant = Grant(id="over", client_id="shop", user_id=user_id, **proof, **times)
        entry = Entry(handle_hash="x", purpose="x", **times)
        sent = {"created_at": LONG_AGO, "next_attempt_at": LONG_AGO, "sent_at": LONG_AGO}
        mail = OutboxMessage(kind="mail", recipient="", payload="", **sent)
        db.session.add_all([session, grant, entry, mail])
        db.session.commit()


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_sqlite_reads_no_table(sqlite_url: str, look: Callable[[Services], object]) -> None:
    house = House(sqlite_url, FakeClock(NOON))
    some(house)
    with house.app.app_context(), counting(db.engine) as counted:
        look(house.services)
    with house.app.app_context(), db.engine.connect() as connection:
        steps = [(text, step) for text in counted.texts for step in plan(connection, text)]
    assert steps
    assert [step for text, step in steps if _is_slow(text, step)] == []


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_postgresql_reads_no_table(postgresql_url: str, look: Callable[[Services], object]) -> None:
    """With tables that are dear to read, it reads one only where no index would do."""
    house = House(f"{postgresql_url}?options=-c%20enable_seqscan%3Doff", FakeClock(NOON))
    some(house)
    with house.app.app_context():
        found = plans(lambda: look(house.services))
        db.engine.dispose()
    assert found
    slow = [(text, said) for text, said in found if "Seq Scan" in said]
    assert [text for text, _ in slow if not any(few in text for few in FEW)] == []


OF_A_SESSION: Mapping[str, Callable[[], object]] = {
    "what ends with it": lambda: outliving.end_with_session(
        "x", user_id="y", context=Context(at=NOON), reason="signed_out"
    ),
    "who hears of its end": lambda: session_clients.parties_of(
        "x", "y", NOON, access_lifetime=timedelta(hours=1)
    ),
}


@pytest.mark.parametrize("look", OF_A_SESSION.values(), ids=OF_A_SESSION)
def test_grants_of_a_session_are_found_among_those_of_its_person(
    sqlite_url: str, look: Callable[[], object]
) -> None:
    house = House(sqlite_url, FakeClock(NOON))
    with house.app.app_context():
        with counting(db.engine) as counted:
            look()
        db.session.rollback()
        with db.engine.connect() as connection:
            steps = [step for text in counted.texts for step in plan(connection, text)]
    found = [step for step in steps if "ix_grants" in step or step.startswith("SCAN grants")]
    assert found
    assert [step for step in found if "(user_id=? AND session_id=?)" not in step] == []


def _is_slow(text: str, step: str) -> bool:
    is_read = step.startswith("SCAN") and "USING" not in step and not step.startswith(FOUND)
    return is_read and not any(few in text for few in FEW)
