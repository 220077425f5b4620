"""A notice is sent until the client says yes, and no longer than makes sense."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idp.models import AuditEvent, OutboxMessage, db
from idp.services.backchannel import BackChannel, logout_handlers
from idp.services.fetch import Answer
from idp.services.jose import InvalidToken
from idp.services.logout_notices import KIND, PlainText
from idp.services.outbox import PATIENCE, Outbox
from idp.services.unfetchable import Unfetchable
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.little_server import little_server
from tests.oidc.desk import payload_of
from tests.web.walking import events, housed, sessions_of, tokens_of

URI = "https://shop.example/backchannel"


class Other:
    """The client's server, as far as we see it."""

    def __init__(self) -> None:
        self.statuses: list[int | Exception] = []
        self.sent: list[tuple[str, Mapping[str, str]]] = []

    def __call__(self, url: str, form: Mapping[str, str]) -> Answer:
        assert not db.session().in_transaction(), "the database waits for nobody's server"
        self.sent.append((url, form))
        told = self.statuses.pop(0) if self.statuses else 200
        if isinstance(told, Exception):
            raise told
        return Answer(told, "text/plain", b"")

    def claims(self) -> list[dict[str, Any]]:
        return [payload_of(form["logout_token"]) for _, form in self.sent]


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    with housed(sqlite_url, clock) as made:
        yield made


@pytest.fixture
def other() -> Other:
    return Other()


@pytest.fixture
def outbox(house: House, other: Other) -> Outbox:
    idp = house.services
    backchannel = BackChannel(
        idp.settings,
        keys=idp.keys,
        clients=idp.clients,
        subjects=idp.subjects,
        clock=house.clock,
        post=other,
    )
    return Outbox(PlainText(), logout_handlers(backchannel), jitter=lambda: 0.5)


def ended(house: House, **members: Any) -> tuple[Person, str]:
    """A session that has ended, and the client that is to be told."""
    alice = house.person()
    told = {"backchannel_logout_uri": URI, "consent": "never", **members}
    client = house.client(**told)
    agent = house.browser()
    tokens_of(agent, client, alice)
    page = agent.page("/me")
    agent.submit(page, page.form("/sign-out"))
    return alice, client.client_id


def deliver(house: House, outbox: Outbox) -> int:
    sent: int = house.do(lambda _: outbox.deliver_due(house.clock()))
    return sent


def notice(house: House) -> OutboxMessage:
    with house.app.app_context():
        return db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == KIND)).one()


def failed(house: House) -> list[AuditEvent]:
    return events(house, event="logout.notice.failed")


@pytest.mark.parametrize("status", [200, 204])
def test_yes_is_enough(house: House, outbox: Outbox, other: Other, status: int) -> None:
    alice, client_id = ended(house)
    other.statuses = [status]
    assert [deliver(house, outbox) for _ in range(2)] == [1, 0]
    ((url, form),) = other.sent
    assert (url, set(form)) == (URI, {"logout_token"})
    (session,) = sessions_of(house, alice)
    (claims,) = other.claims()
    assert (claims["sub"], claims["sid"], claims["aud"]) == (alice.id, session.id, client_id)
    assert failed(house) == []


def test_a_pairwise_client_is_told_its_own_name_for_the_person(
    house: House, outbox: Outbox, other: Other
) -> None:
    alice, client_id = ended(house, subject_type="pairwise")
    assert deliver(house, outbox) == 1
    (claims,) = other.claims()
    client = house.do(lambda idp: idp.clients.get(client_id))
    told = house.do(lambda idp: idp.subjects.of(client, alice.id))
    assert claims["sub"] == told != alice.id


LATER: dict[str, int | Exception] = {
    "500": 500,
    "503": 503,
    "a redirect": 302,
    "too many requests": 429,
    "unreachable": Unfetchable("it cannot be reached"),
}


@pytest.mark.parametrize("first", LATER.values(), ids=LATER)
def test_later_perhaps(house: House, outbox: Outbox, other: Other, first: int | Exception) -> None:
    ended(house)
    other.statuses = [first]
    assert deliver(house, outbox) == 0
    house.clock.advance(minutes=10)
    assert deliver(house, outbox) == 1
    before, after = other.claims()
    assert before["jti"] == after["jti"], "a second copy is known for one"
    assert after["iat"] == before["iat"] + 600, "and none has expired on its way"
    assert failed(house) == []


@pytest.mark.parametrize("status", [400, 401, 404])
def test_no_is_no(house: House, outbox: Outbox, other: Other, status: int) -> None:
    alice, client_id = ended(house)
    other.statuses = [status]
    for _ in range(2):
        assert deliver(house, outbox) == 0
        house.clock.advance(minutes=10)
    assert len(other.sent) == 1
    (event,) = failed(house)
    (session,) = sessions_of(house, alice)
    assert (event.user_id, event.client_id) == (alice.id, client_id)
    assert event.session_id == session.id
    assert str(status) in event.data["error"]


def test_it_is_given_up_in_the_end(house: House, outbox: Outbox, other: Other) -> None:
    ended(house)
    other.statuses = [500] * 1000
    for _ in range(int(PATIENCE / timedelta(hours=1)) + 2):
        deliver(house, outbox)
        house.clock.advance(hours=2)
    assert len(failed(house)) == 1
    assert notice(house).failed_at is not None


def test_where_it_goes_is_as_registered_now(house: House, outbox: Outbox, other: Other) -> None:
    _, client_id = ended(house)
    members = {
        "client_name": "Shop",
        "redirect_uris": ["https://shop.example/callback"],
        "backchannel_logout_uri": "https://shop.example/moved",
    }
    house.do(lambda idp: idp.client_registry.update(client_id, members, house.context))
    assert deliver(house, outbox) == 1
    assert other.sent[0][0] == "https://shop.example/moved"


@pytest.mark.parametrize("how", ["no longer registered", "deleted"])
def test_a_client_that_takes_none_any_more_gets_none(
    house: House, outbox: Outbox, other: Other, how: str
) -> None:
    _, client_id = ended(house)
    members = {"redirect_uris": ["https://shop.example/callback"]}
    change = {
        "no longer registered": lambda idp: idp.client_registry.update(
            client_id, members, house.context
        ),
        "deleted": lambda idp: idp.client_registry.delete(client_id, house.context),
    }
    house.do(change[how])
    assert deliver(house, outbox) == 0
    assert other.sent == []
    assert len(failed(house)) == 1


def test_a_logout_token_opens_nothing_here(house: House, outbox: Outbox, other: Other) -> None:
    ended(house)
    deliver(house, outbox)
    token = other.sent[0][1]["logout_token"]
    for typ in ("JWT", "at+jwt"):
        with house.app.app_context(), pytest.raises(InvalidToken):
            house.services.keys.verify(token, typ=typ, now=house.clock())
    with house.app.app_context():
        assert house.services.keys.verify(token, typ="logout+jwt", now=house.clock())


def test_no_inside_address_is_called(sqlite_url: str, clock: FakeClock) -> None:
    """With the real fetcher: from an issuer on the Internet loopback is inside."""
    with little_server() as server:
        for issuer, calls in (("https://id.example.com", 0), ("http://localhost:8000", 1)):
            with housed(sqlite_url, clock, issuer=issuer) as house:
                person = house.person(f"{calls}@example.com")
                uri = server.url("/backchannel")
                client = house.client(backchannel_logout_uri=uri, consent="never")
                agent = house.browser()
                tokens_of(agent, client, person)
                page = agent.page("/me")
                agent.submit(page, page.form("/sign-out"))
                sent = house.do(lambda idp: idp.notices_outbox.deliver_due(clock()))
                assert sent == calls
                assert len(server.requests) == calls
