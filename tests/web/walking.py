"""What tests of the sign-in do over and over."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import select

from idp.models import AuditEvent, BrowserSession, User, db
from idp.services.audit_log import Search, search
from idp.web.services import Services
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.helpers.sign_in import Answer, sign_in
from tests.helpers.user_agent import Departure, Page, Place, UserAgent

_NUMBERS = count(1)


@contextmanager
def housed(database_url: str, clock: FakeClock, **settings: Any) -> Iterator[House]:
    """A house that gives its database connections back."""
    house = House(database_url, clock, **settings)
    try:
        yield house
    finally:
        with house.app.app_context():
            db.engine.dispose()


def newcomer(house: House, **fields: Any) -> Person:
    """Somebody nobody else in this house is."""
    return house.person(**{"email": f"person{next(_NUMBERS)}@example.com", **fields})


def signed_in(
    house: House,
    client: RelyingParty,
    person: Person,
    *,
    answers: Mapping[str, Answer] | None = None,
    agent: UserAgent | None = None,
    **changes: object,
) -> UserAgent:
    """A browser in which this person has just signed in to this client."""
    agent = agent or house.browser()
    tokens_of(agent, client, person, answers=answers, **changes)
    return agent


def tokens_of(
    agent: UserAgent,
    client: RelyingParty,
    person: Person | None = None,
    *,
    answers: Mapping[str, Answer] | None = None,
    **changes: object,
) -> Tokens:
    """Send a request (an honest one with ``changes``) and walk to its end; returns the tokens."""
    departure = sign_in(
        agent,
        client.authorization_url(**changes),
        username=person.email if person else None,
        password=person.password if person else None,
        answers=answers,
    )
    return client.finish(departure)


def enter(agent: UserAgent, page: Page, person: Person, **values: str) -> Place:
    """Type her address and password into a sign-in page and press its first button."""
    form = page.form("/password")
    typed = {"username": person.email, "password": person.password, **values}
    return agent.submit(page, form, {k: v for k, v in typed.items() if k in form.inputs})


def press(agent: UserAgent, page: Page, path: str, label: str) -> Place:
    """Press the button of that label in the form to ``path``."""
    return agent.submit(page, page.form(path), button=label)


def gone(place: Place) -> Departure:
    """Where the browser was sent; asserts that it was."""
    assert isinstance(place, Departure), f"still at {place.url}: {place.document.text[:300]}"
    return place


def told(place: Place) -> dict[str, str]:
    """What the relying party is told; asserts that the browser was sent there."""
    return gone(place).parameters


def shown(place: Place) -> Page:
    """The page; asserts that the browser was sent nowhere."""
    assert isinstance(place, Page), place
    return place


def user_of(services: Services, person: Person) -> User:
    """Her account, as services take it."""
    user = services.accounts.find(person.id)
    assert user is not None
    return user


def events(house: House, **wanted: Any) -> list[AuditEvent]:
    """The audit log's events, newest first."""
    with house.app.app_context():
        return list(search(Search(**wanted)))


def event_names(house: House, **wanted: Any) -> list[str]:
    """Their names, oldest first."""
    return [event.name for event in reversed(events(house, **wanted))]


def sessions_of(house: House, person: Person) -> list[BrowserSession]:
    """Every session of hers there ever was, oldest first."""
    hers = select(BrowserSession).where(BrowserSession.user_id == person.id)
    with house.app.app_context():
        return list(db.session.scalars(hers.order_by(BrowserSession.created_at)))


def stops(
    agent: UserAgent, url: str, person: Person, *, account: str | None = None
) -> tuple[list[str], Departure]:
    """Walk from ``url`` to the end, as ``person``; returns which questions were asked on the way.

    ``account`` is what is chosen where that is asked; left out, herself.
    """
    asked: list[str] = []
    place = agent.get(url)
    while isinstance(place, Page):
        assert len(asked) < 6, asked
        paths = [form.action.rpartition("/")[2] for form in place.document.forms]
        step = next(name for name in ("account", "consent", "password") if name in paths)
        asked.append(step)
        if step == "password":
            place = enter(agent, place, person)
        else:
            form = place.form(f"/{step}")
            wanted = {"account": account or person.id, "consent": "allow"}[step]
            button = next(one for one in form.buttons if one.value == wanted)
            place = agent.submit(place, form, button=button)
    return asked, place


def silently(agent: UserAgent, client: RelyingParty, **changes: object) -> str:
    """The error that prompt=none is answered with, or "" for a code."""
    url = client.authorization_url(prompt="none", **changes)
    response = agent.client.get(url)
    assert response.status_code == 303
    parameters = told(Departure(response.headers["Location"]))
    assert parameters["iss"] == client.issuer
    assert parameters["state"] in client.pending
    assert ("code" in parameters) != ("error" in parameters)
    return parameters.get("error", "")
