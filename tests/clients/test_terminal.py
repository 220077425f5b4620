"""The demo's program for the terminal, at the real provider, and at one that lies."""

import hmac
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc import jwt

from idp.clock import system_clock
from idp.models import db
from idp.services.client_apply import apply_client_files
from idp.services.client_files import read_client_file
from tests.clients.modules import CLIENTS, load
from tests.clients.provider import Provider, new_key, seconds
from tests.helpers import base64url
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.ports import free_port
from tests.helpers.served import served
from tests.helpers.user_agent import Page, UserAgent

APP: Any = load("terminal")


@dataclass
class Room:
    """A terminal, and somebody before it who has a browser as well.

    ``does`` is what happens while the program waits, one each time; then nothing does.
    """

    house: House
    person: Person
    does: list[Callable[[], object]] = field(default_factory=list)
    screen: io.StringIO = field(default_factory=io.StringIO)
    slept: list[float] = field(default_factory=list)

    def sign_in(self) -> dict[str, Any]:
        terminal = APP.Terminal(
            self.house.settings.issuer,
            clock=lambda: self.house.clock().timestamp(),
            sleep=self._sleep,
        )
        claims: dict[str, Any] = APP.sign_in(terminal, self.screen)
        return claims

    def _sleep(self, interval: float) -> None:
        self.slept.append(interval)
        self.house.clock.advance(seconds=interval)
        if self.does:
            self.does.pop(0)()

    def decide(self, button: str) -> None:
        """Go where the screen says, type what it says, and press this."""
        lines = self.screen.getvalue().splitlines()
        agent = UserAgent(self.house.settings.issuer)
        entering = agent.page(lines[0].split()[1])
        typed = {"user_code": lines[2].strip()}
        sign_in = agent.submit(entering, entering.form("/device"), typed)
        assert isinstance(sign_in, Page)
        known = {"username": self.person.email, "password": self.person.password}
        asked = agent.submit(sign_in, sign_in.form("/password"), known)
        assert isinstance(asked, Page)
        agent.submit(asked, asked.form(asked.path), button=button)
        agent.client.close()

    def hurry(self) -> None:
        """The provider's time goes by more slowly than the program's."""
        self.house.clock.advance(seconds=-self.slept[-1])


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[House]:
    port = free_port()
    with databases.fresh("sqlite") as url:
        made = House(url, FakeClock(system_clock()), issuer=f"http://localhost:{port}")
        with served(made.app, port):
            made.do(lambda services: _apply(made, services))
            yield made
        with made.app.app_context():
            db.engine.dispose()


def _apply(house: House, services: Any) -> None:
    files = [read_client_file(CLIENTS / "terminal/client.toml")]
    parts = (services.client_rules, services.client_secrets, house.context)
    apply_client_files(files, *parts, environ={})


@pytest.fixture(scope="module")
def person(house: House) -> Person:
    return house.person()


@pytest.fixture
def room(house: House, person: Person) -> Room:
    return Room(house, person)


def test_somebody_allows_it(room: Room) -> None:
    room.does = [lambda: None, lambda: room.decide("Allow")]
    claims = room.sign_in()
    assert (claims["sub"], claims["aud"]) == (room.person.id, "terminal")
    assert (claims["acr"], claims["amr"]) == ("urn:idp:acr:1fa", ["pwd"])
    assert room.slept == [5, 5]
    screen = room.screen.getvalue()
    assert f"Open {room.house.settings.issuer}/device in a browser, and type:" in screen
    assert "It is good for 10 minutes." in screen


def test_somebody_does_not(room: Room) -> None:
    room.does = [lambda: room.decide("Cancel")]
    with pytest.raises(APP.Refused, match=r"You said no\."):
        room.sign_in()


def test_nobody_comes(room: Room) -> None:
    with pytest.raises(APP.Refused, match="not typed in time"):
        room.sign_in()
    assert sum(room.slept) >= 600


def test_it_is_as_slow_as_it_is_told_to_be(room: Room) -> None:
    room.does = [lambda: None, room.hurry, lambda: None, lambda: room.decide("Allow")]
    assert room.sign_in()["sub"] == room.person.id
    assert room.slept == [5, 5, 10, 10]


@pytest.fixture(scope="module")
def liar() -> Iterator[Provider]:
    port = free_port()
    made = Provider(f"http://localhost:{port}")
    made.metadata = {"device_authorization_endpoint": f"{made.issuer}/device"}
    with served(made.app(), port):
        yield made


def token(liar: Provider, **changes: Any) -> dict[str, str]:
    """What a token endpoint answers, with ``changes`` to it and to the ID token."""
    access_token = changes.pop("access_token", "at")
    honest = {
        **{"iss": liar.issuer, "sub": "alice", "aud": "terminal", "iat": seconds()},
        **{"exp": seconds() + 60, "at_hash": APP.half_hash("at")},
    }
    said = {name: value for name, value in {**honest, **changes}.items() if value is not None}
    return {"access_token": access_token, "id_token": liar.sign(said)}


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "for another": {"aud": "shop"},
    "for others as well": {"aud": ["terminal", "shop"]},
    "over": {"exp": 1},
    "without an end": {"exp": None},
    "about nobody": {"sub": None},
    "of another access token": {"access_token": "other"},
}


def test_an_honest_id_token(liar: Provider) -> None:
    assert APP.Terminal(liar.issuer).verify(token(liar))["sub"] == "alice"


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_in_the_id_token(liar: Provider, lie: dict[str, Any]) -> None:
    with pytest.raises(APP.Refused):
        APP.Terminal(liar.issuer).verify(token(liar, **lie))


def test_an_id_token_that_says_how_to_be_verified(liar: Provider) -> None:
    _, body, _ = token(liar)["id_token"].split(".")
    claims = jwt.decode(token(liar)["id_token"], liar.key).claims
    confused = f"{headed('HS256', liar)}.{body}"
    by_public_key = hmac.digest(liar.key.as_pem(private=False), confused.encode(), "sha256")
    forged = (
        f"{confused}.{base64url.encode(by_public_key)}",
        f"{headed('none', liar)}.{body}.",
        jwt.encode({"alg": "ES256", "kid": liar.key.kid}, claims, new_key("other")),
        "nonsense",
    )
    for one in forged:
        with pytest.raises(APP.Refused):
            APP.Terminal(liar.issuer).verify({"access_token": "at", "id_token": one})


def headed(algorithm: str, liar: Provider) -> str:
    return base64url.encode(json.dumps({"alg": algorithm, "kid": liar.key.kid}).encode())


def test_a_provider_that_is_another_one(liar: Provider) -> None:
    with pytest.raises(APP.Refused, match="another one"):
        APP.Terminal(liar.issuer.replace("localhost", "127.0.0.1"))


def test_where_nobody_answers_it_says_so_in_a_line() -> None:
    nowhere = f"http://localhost:{free_port()}"
    ended = subprocess.run(
        [sys.executable, "-W", "error", CLIENTS / "terminal/app.py"],
        env={"OIDC_ISSUER": nowhere},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"{nowhere} does not answer")
    assert ended.stderr.count("\n") == 1
