"""A mail server that refuses, stalls, or takes half: nobody is answered otherwise for it.

Mutation: ``sent_at`` noted before the handler has run (``Outbox._deliver``), and a mail that was
refused is never had. A mail that ``Mailer.queue`` sends at once, and who has an account waits
for the mail server.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
import pytest

from idp.clock import system_clock
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.html import parse
from tests.helpers.smtp import Mood, Outbox, links
from tests.helpers.user_agent import UserAgent
from tests.web.walking import event_names, housed, newcomer, shown

MINUTE = 60
STRANGER = "perhaps@example.com"
"""Begins like the others: the page shows the first letter by itself."""


@pytest.fixture
def house(database_url: str, outbox: Outbox) -> Iterator[House]:
    with housed(database_url, FakeClock(system_clock()), mail_url=outbox.url) as made:
        yield made


@pytest.fixture
def alice(house: House) -> Person:
    return newcomer(house)


def asks(house: House, address: str) -> httpx.Response:
    """For a link to set a password anew."""
    agent: UserAgent = house.browser()
    page = agent.page("/login/forgotten")
    form = page.form("/forgotten")
    return agent.client.post(form.action, data={**form.fields, "username": address})


def words(answer: httpx.Response, address: str) -> str:
    """What the page says, whoever asked."""
    return parse(answer.text, str(answer.url)).text.replace(address, "somebody")


def deliver(house: House, *, after: float = 0) -> int:
    """What the upkeep does; how many were sent."""
    house.clock.advance(seconds=after)
    sent: int = house.do(lambda services: services.outbox.deliver_due(house.clock()))
    return sent


def link_in(outbox: Outbox, person: Person) -> str:
    return links(outbox.latest(to=person.email))[0]


def works(house: House, link: str) -> bool:
    return 'name="new_password"' in house.browser().page(httpx.URL(link).path).response.text


def asks_for_a_link(house: House, address: str) -> httpx.Response:
    """To sign in by; the page that is shown then."""
    agent: UserAgent = house.browser()
    page = agent.page(house.client().authorization_url())
    form = page.form("/password")
    button = form.button("Email me a sign-in link")
    return shown(agent.submit(page, form, {"username": address}, button=button)).response


@contextmanager
def held(house: House, outbox: Outbox) -> Iterator[Thread]:
    """What is due is being sent, to a server that has it and does not answer until the end."""
    outbox.mood = Mood.STALL
    sending = Thread(target=deliver, args=(house,))
    sending.start()
    try:
        outbox.wait_held()
        yield sending
    finally:
        outbox.mood = Mood.ACCEPT
        sending.join(20)


@pytest.mark.parametrize("ask", [asks, asks_for_a_link])
def test_the_answer_does_not_wait_for_a_server_that_stalls(
    house: House, alice: Person, outbox: Outbox, ask: Callable[[House, str], httpx.Response]
) -> None:
    """It holds a mail of hers while she and somebody unknown ask, and is still holding it then."""
    ask(house, alice.email)
    with held(house, outbox) as sending:
        house.clock.advance(seconds=2 * MINUTE)  # from which on she may ask for another
        hers, strangers = ask(house, alice.email), ask(house, STRANGER)
        assert sending.is_alive()
        assert (outbox.held, outbox.messages) == (1, []), "it is where it was"
    assert hers.status_code == strangers.status_code == 200
    assert words(hers, alice.email) == words(strangers, STRANGER)
    assert len(outbox.to(alice.email)) > 0, "the control: it was to be sent"


@pytest.mark.parametrize("mood", Mood)
def test_whoever_asks_is_answered_the_same(
    house: House, alice: Person, outbox: Outbox, mood: Mood
) -> None:
    outbox.mood = mood
    hers, strangers = asks(house, alice.email), asks(house, STRANGER)
    assert hers.status_code == strangers.status_code == 200
    assert words(hers, alice.email) == words(strangers, STRANGER)
    outbox.mood = Mood.ACCEPT


def test_refused_it_comes_once_the_server_takes_it(
    house: House, alice: Person, outbox: Outbox
) -> None:
    outbox.mood = Mood.REFUSE
    asks(house, alice.email)
    assert [deliver(house, after=20), deliver(house, after=40)] == [0, 0]
    outbox.mood = Mood.ACCEPT
    deliver(house, after=5 * MINUTE)
    deliver(house, after=5 * MINUTE)
    assert len(outbox.to(alice.email)) == 1
    assert works(house, link_in(outbox, alice))


def test_nobody_waits_for_a_server_that_stalls(house: House, alice: Person, outbox: Outbox) -> None:
    outbox.mood = Mood.STALL
    asks(house, alice.email)
    sending = Thread(target=deliver, args=(house,))
    sending.start()
    assert asks(house, newcomer(house).email).status_code == 200
    assert house.http().get("/oauth/jwks").status_code == 200
    assert sending.is_alive(), "the control: it was being sent all the while"
    outbox.mood = Mood.ACCEPT
    sending.join(20)
    assert len(outbox.to(alice.email)) == 1


def test_half_accepted_it_is_the_same_mail_again_and_one_link(
    house: House, alice: Person, outbox: Outbox
) -> None:
    outbox.mood = Mood.ACCEPT_THEN_DROP
    asks(house, alice.email)
    deliver(house)
    outbox.mood = Mood.ACCEPT
    deliver(house, after=MINUTE)
    deliver(house, after=MINUTE)
    first, second = outbox.to(alice.email)
    assert first["Message-ID"] == second["Message-ID"]
    assert links(first) == links(second)
    assert works(house, links(second)[0])


def test_a_link_that_has_expired_is_not_sent_any_more(
    house: House, alice: Person, outbox: Outbox
) -> None:
    outbox.mood = Mood.REFUSE
    asks(house, alice.email)
    deliver(house)
    outbox.mood = Mood.ACCEPT
    deliver(house, after=25 * 60 * MINUTE)
    assert outbox.to(alice.email) == []
    assert event_names(house, event="mail.failed") == ["mail.failed"]
