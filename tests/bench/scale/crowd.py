"""People out of a filled database, each time another, with the applications they use."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from secrets import SystemRandom
from typing import Final

import httpx

from tests.bench.actor import Actor, expect
from tests.bench.scale.made_up import secret_at
from tests.bench.scale.rows.clients import ADDRESS, CLIENT, SECRET
from tests.bench.scale.rows.people import DISABLED_EVERY, SESSION
from tests.bench.scale.rows.tokens import REFRESH
from tests.bench.scale.size import Size
from tests.bench.wire import Http
from tests.helpers.house import PASSWORD, Person
from tests.helpers.relying_party import RelyingParty

BUSY: Final = 500
"""Applications that are in use at the same time, out of however many there are."""
DRIVERS: Final = 2
_RANDOM: Final = SystemRandom()


@dataclass
class Crowd:
    """Somebody else for every round; no two drivers are ever anybody at the same time."""

    size: Size
    issuer: str
    http: httpx.Client
    clients: list[int] = field(default_factory=list)
    renewed: dict[int, str] = field(default_factory=dict)
    """Refresh tokens by the number of their grant, where they are no longer the ones made up."""

    def __post_init__(self) -> None:
        clients = self.size.clients
        self.clients = _RANDOM.sample(range(clients), min(BUSY, clients))

    def numbers(self, driver: int) -> Iterator[int]:
        """People by number, at random, of whom none is disabled."""
        size = self.size
        rounds = min(size.people, size.grants) // size.clients // DRIVERS
        while True:
            client = _RANDOM.choice(self.clients)
            turn = DRIVERS * _RANDOM.randrange(rounds) + driver
            number = client + turn * size.clients
            if number % DISABLED_EVERY != DISABLED_EVERY - 1:
                yield number

    def actors(self, http: Http, driver: int) -> Iterator[tuple[int, Actor]]:
        """The same as people with browsers that are signed in."""
        for number in self.numbers(driver):
            yield number, self.actor(http, number)

    def actor(self, http: Http, number: int) -> Actor:
        client = number % self.size.clients
        party = RelyingParty(
            self.issuer,
            f"{CLIENT}{client}",
            ADDRESS.format(number=client),
            client_secret=f"{SECRET}{client}",
            http=self.http,
        )
        person = Person("", f"someone{number}@example.org", PASSWORD)
        return Actor(http, person, party, jar={"idp_session": secret_at(SESSION, number)})

    def refresh(self, actor: Actor, number: int) -> str:
        """Use the refresh token of a person's first grant; an access token."""
        known = self.renewed.get(number) or secret_at(REFRESH, 2 * number + 1)
        answer = actor.refresh(known)
        self.renewed[number] = answer["refresh_token"]
        return str(answer["access_token"])

    def greet(self, http: Http) -> None:
        """Let the server hear of every application that will be used, as it has of those that are
        in use: it keeps them in memory, what their requests have in common and their first page.
        """
        for client in self.clients:
            actor = self.actor(http, client)
            actor.jar = {}
            expect(http.send("GET", actor.authorization(prompt="none")), 303)
            actor.arrive()
