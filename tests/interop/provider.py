"""The provider as a server of its own, and the browser of somebody who has an account there."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from idp.clock import system_clock
from tests.helpers.clock import FakeClock
from tests.helpers.cookies import CookieTransport
from tests.helpers.house import House, Person
from tests.helpers.plain import PLAIN
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import Server
from tests.helpers.sign_in import sign_in
from tests.helpers.user_agent import Departure, UserAgent

_MOST_REDIRECTS = 10
CHEAP_HASH = {"IDP_ARGON2_MEMORY_KIB": "8", "IDP_ARGON2_TIME": "1"}


class Provider:
    """A running server. People and clients are written straight into its database."""

    def __init__(self, server: Server, database_url: str) -> None:
        self.issuer = server.url
        self._house = House(database_url, FakeClock(system_clock()), issuer=server.url)
        self.person = self._house.person(
            "alice@example.com",
            profile={"given_name": "Alice", "family_name": "Hargreaves", "locale": "en-GB"},
        )

    def client(self, **members: Any) -> RelyingParty:
        """Register a client (RFC 7591 member names)."""
        self._house.clock.set(system_clock())
        return self._house.client(**members)


@dataclass
class Visitor:
    """One browser, without JavaScript, at an application and at the provider.

    ``app`` is the application's origin; ``transport`` leads there (left out, the network does).
    """

    provider: Provider
    app: str
    transport: httpx.BaseTransport | None = None

    def __post_init__(self) -> None:
        keeper = CookieTransport(
            self.transport or httpx.HTTPTransport(verify=PLAIN, trust_env=False)
        )
        self.http = httpx.Client(
            base_url=self.app, transport=keeper, timeout=30, trust_env=False, headers=_HEADERS
        )
        self.agent = UserAgent(self.provider.issuer)
        self.asked: list[str] = []
        """The authorization requests that the application sent this browser away with."""

    def close(self) -> None:
        self.http.close()
        self.agent.client.close()

    def visit(self, url: str) -> httpx.Response:
        """Open ``url`` of the application, signing in at the provider whenever sent there."""
        response = self.http.get(url)
        for _ in range(_MOST_REDIRECTS):
            if not response.has_redirect_location:
                return response
            target = urljoin(str(response.url), response.headers["Location"])
            response = self.http.get(self._back_from(target))
        raise AssertionError(f"redirected without end, lastly to {response.url}")

    def depart(self, url: str) -> str:
        """Open ``url`` of the application; the authorization request it answers with."""
        response = self.http.get(url)
        assert response.has_redirect_location, response.text
        return self.sent_to_provider(response.headers["Location"])

    def sent_to_provider(self, target: str) -> str:
        assert target.startswith(f"{self.provider.issuer}/oauth/authorize?"), target
        self.asked.append(target)
        return target

    def _back_from(self, target: str) -> str:
        if target.startswith(f"{self.app}/"):
            return target
        return self.sign_in(self.sent_to_provider(target)).url

    def sign_in(self, authorization_url: str) -> Departure:
        """Do what the provider asks for."""
        person: Person = self.provider.person
        return sign_in(
            self.agent, authorization_url, username=person.email, password=person.password
        )


# mod_auth_openidc sends only what looks like a person's navigation to the provider.
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Tests/1",
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
}
