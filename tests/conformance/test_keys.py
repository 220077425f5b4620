"""rotate-keys, in traffic: whoever fetches the key set as often as it says verifies everything.

Mutations: a successor that signs at once in ``KeyRotation._succeed`` (as the last test does); a key
that is not kept after it has stopped signing (``kept_after``).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from idp.audit import Context
from idp.clock import system_clock
from tests.cli.command import Command
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.oidc.desk import header_of, payload_of
from tests.web.walking import housed, tokens_of

TIMES = {"key_publish_ahead": 900, "key_lifetime": 2000}
STEP = 70
"""Seconds between two rounds of traffic."""


class Reader:
    """A relying party that keeps the key set for as long as it may, and asks for no other."""

    def __init__(self, nodes: list[House]) -> None:
        self._nodes = nodes
        self._keys: KeySet | None = None
        self._good_until: datetime | None = None

    def _key_set(self, now: datetime) -> KeySet:
        if self._keys is None or self._good_until is None or now >= self._good_until:
            # The node that is behind, and so may not have heard of a new key yet.
            response = self._nodes[-1].http().get("/oauth/jwks")
            kept = response.headers["Cache-Control"].removeprefix("public, max-age=")
            self._keys = KeySet.import_key_set(response.json())
            self._good_until = now + timedelta(seconds=int(kept))
        return self._keys

    def verifies(self, token: str, now: datetime) -> bool:
        try:
            jwt.decode(token, self._key_set(now), algorithms=["ES256", "RS256"])
        except (JoseError, ValueError):
            return False
        return True


class Traffic:
    """Two nodes over one database, an application on both, and what they signed so far."""

    def __init__(self, nodes: list[House], alice: Person) -> None:
        self.nodes = nodes
        self.clock = nodes[0].clock
        self.reader = Reader(nodes)
        self.parties = [self._party(alice, algorithm) for algorithm in ("RS256", "ES256")]
        self.alive: list[tuple[datetime, str]] = []
        self.kids: set[str] = set()

    def _party(self, alice: Person, algorithm: str) -> tuple[RelyingParty, str]:
        party = self.nodes[0].client(
            grant_types=["authorization_code", "refresh_token"],
            refresh_token_rotation=False,
            id_token_signed_response_alg=algorithm,
            consent="never",
        )
        scope = "openid offline_access"
        tokens = tokens_of(self.nodes[0].browser(), party, alice, scope=scope)
        return party, tokens.refresh_token

    def step(self, seconds: float = STEP) -> int:
        """Let time pass, have tokens signed on each node, and count those that do not verify."""
        for node in self.nodes:
            node.clock.advance(seconds=seconds)
        for node in self.nodes:
            for party, refresh_token in self.parties:
                self._sign(node, party, refresh_token)
        now = self.clock()
        self.alive = [(ends, token) for ends, token in self.alive if ends > now]
        return sum(not self.reader.verifies(token, now) for _, token in self.alive)

    def _sign(self, node: House, party: RelyingParty, refresh_token: str) -> None:
        party.http = node.http()
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        told = party.token_request(**form).json()
        for token in (told["id_token"], told["access_token"]):
            self.alive.append(
                (datetime.fromtimestamp(payload_of(token)["exp"]).astimezone(), token)
            )
            self.kids.add(header_of(token)["kid"])

    def run(self, minutes: int) -> int:
        return sum(self.step() for _ in range(minutes * 60 // STEP))


@contextmanager
def traffic(url: str, start: datetime) -> Iterator[Traffic]:
    """The second node's clock is a minute behind."""
    late = FakeClock(start - timedelta(minutes=1))
    with housed(url, FakeClock(start), **TIMES) as first, housed(url, late, **TIMES) as second:
        yield Traffic([first, second], first.person())


@pytest.fixture
def flow(database_url: str) -> Iterator[Traffic]:
    with traffic(database_url, system_clock()) as running:
        yield running


def test_by_command(flow: Traffic, database_url: str) -> None:
    assert flow.run(minutes=4) == 0
    times = {f"IDP_{name.upper()}": str(value) for name, value in TIMES.items()}
    command = Command.over(database_url, **times, IDP_ISSUER=flow.nodes[0].settings.issuer)
    made = command.json("keys", "rotate", "--algorithm", "ES256", "--json")
    assert len(made) == 1
    (successor,) = [one["kid"] for one in made]
    assert successor not in flow.kids
    assert flow.run(minutes=25) == 0
    assert successor in flow.kids


def test_by_age(flow: Traffic) -> None:
    rotation = flow.nodes[0].services.key_rotation
    failures = 0
    for _ in range(8):
        with flow.nodes[0].app.app_context():
            rotation.rotate_due(Context(at=flow.clock(), actor_id="upkeep"))
            rotation.sweep(flow.clock())
        failures += flow.run(minutes=9)
    assert failures == 0
    assert len(flow.kids) >= 2 * 2  # two algorithms, each by more than one key


def test_in_the_very_moment(flow: Traffic) -> None:
    def sign(number: int) -> list[dict[str, Any]]:
        party, refresh_token = flow.parties[number % 2]
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return [party.token_request(**form).json() for _ in range(5)]

    now = flow.clock()
    flow.reader.verifies("", now)  # it has fetched the keys of before
    with ThreadPoolExecutor(4) as pool:
        signing = [pool.submit(sign, number) for number in range(4)]
        with flow.nodes[0].app.app_context():
            flow.nodes[0].services.key_rotation.rotate(Context(at=now), algorithms=["ES256"])
        told = [one for future in signing for one in future.result()]
    assert len(told) == 20
    assert all(flow.reader.verifies(one["id_token"], now) for one in told)
    assert all(flow.reader.verifies(one["access_token"], now) for one in told)


def test_a_rotation_without_notice_is_what_this_would_find(flow: Traffic) -> None:
    assert flow.step() == 0
    with flow.nodes[0].app.app_context():
        flow.nodes[0].services.key_rotation.rotate(
            Context(at=flow.clock()), algorithms=["ES256"], at_once=True
        )
    assert flow.step() > 0
