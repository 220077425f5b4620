"""Applications that register themselves, as tests play them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx

from idp.services import registration_tokens
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.web.walking import housed

CALLBACK = "https://app.example/callback"
HONEST: Mapping[str, Any] = {"client_name": "App", "redirect_uris": [CALLBACK]}


class Counter:
    """The registration endpoint of a house, and whoever stands before it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.http = house.http()

    def post(self, members: object, *, token: str | None = None, **more: Any) -> httpx.Response:
        return self.http.post("/oauth/register", json=members, headers=bearer(token), **more)

    def registered(self, *, token: str | None = None, **changes: Any) -> dict[str, Any]:
        """An honest registration with ``changes``, accepted."""
        answer = self.post({**HONEST, **changes}, token=token)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def refused(self, *, token: str | None = None, **changes: Any) -> dict[str, str]:
        """The same, refused as invalid."""
        answer = self.post({**HONEST, **changes}, token=token)
        assert answer.status_code == 400, answer.text
        told: dict[str, str] = answer.json()
        return told

    def ask(
        self, method: str, made: Mapping[str, Any], members: object = None, **more: Any
    ) -> httpx.Response:
        """Go to a registration's own address with its own token, or another one."""
        token = more.pop("token", made["registration_access_token"])
        content = b"" if members is None else json.dumps(members).encode()
        headers = {"Content-Type": "application/json", **bearer(token)}
        address = made["registration_client_uri"]
        return self.http.request(method, address, content=content, headers=headers)

    def initial_token(self, *, uses: int = 1, seconds: int = 3600) -> str:
        def make(_services: object) -> str:
            lifetime = timedelta(seconds=seconds)
            return registration_tokens.make(self.house.context, uses=uses, lifetime=lifetime)[1]

        made: str = self.house.do(make)
        return made

    def party(self, made: Mapping[str, Any]) -> RelyingParty:
        """The application that was registered."""
        return RelyingParty(
            self.house.settings.issuer,
            made["client_id"],
            made["redirect_uris"][0],
            client_secret=made.get("client_secret"),
            authentication=made["token_endpoint_auth_method"],
            http=self.house.http(),
            clock=self.house.clock,
        )


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@contextmanager
def counter(database_url: str, how: str = "open", **settings: Any) -> Iterator[Counter]:
    """A house whose applications register themselves."""
    usual = {"client_registration": how, "client_registration_attempts": 10_000}
    with housed(database_url, FakeClock(), **{**usual, **settings}) as house:
        yield Counter(house)
