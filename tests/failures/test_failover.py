"""The primary dies: what only reads goes on, what writes is told when to come again, and then all.

Mutation: without ``standby.prepare`` in ``idp/models/base.py`` nothing is answered in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from idp.clock import system_clock
from idp.migrate import upgrade
from tests.cli.command import Command
from tests.cli.test_doctor import NEAR, states
from tests.failures.artefacts import Remote, Thing, access_token, as_there, at, code, refresh_token
from tests.failures.replication import Pair, replicated
from tests.helpers.clock import FakeClock
from tests.helpers.house import CHEAP, ISSUER, House
from tests.helpers.ports import wait_until
from tests.helpers.servers import serve
from tests.web.walking import housed, newcomer, signed_in, silently

DATABASE = "idp"


@dataclass(frozen=True)
class Deployment:
    """A server over a pair, and a house over the same to prepare and to look."""

    pair: Pair
    node: Remote
    house: House

    def get(self, path: str) -> httpx.Response:
        return self.node.http().get(path)


FURTHER = {"IDP_ISSUER": ISSUER, "IDP_METRICS_NETWORKS": "127.0.0.0/8 ::1"}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    settings = {f"IDP_{name.upper()}": str(value) for name, value in CHEAP.items()}
    folder: Path = tmp_path_factory.mktemp("failover")
    with replicated() as pair:
        pair.primary.create(DATABASE)
        url = pair.url(DATABASE)
        upgrade(url)
        with (
            housed(url, FakeClock(system_clock())) as house,
            serve(url, folder, settings=settings | FURTHER) as servers,
        ):
            yield Deployment(pair, Remote(servers[0].port), house)


def test_it_goes_on_over_the_standby(deployment: Deployment) -> None:
    house, node = deployment.house, deployment.node
    alice, shop = newcomer(house), house.client(consent="never")
    agent = as_there(signed_in(house, shop, alice), node)
    there = at(shop, node)
    reads: list[Thing] = [access_token(house, "jwt"), access_token(house, "opaque")]
    used, waits = code(house), refresh_token(house)
    unused = at(house.client(consent="never"), node)
    assert used.use(node)
    assert silently(agent, there) == ""
    assert "idp_database_writable 1.0\n" in deployment.get("/metrics").text

    deployment.pair.primary.stop(immediate=True)
    for path in ("/oauth/jwks", "/.well-known/openid-configuration", "/healthz", "/readyz"):
        assert deployment.get(path).status_code == 200, path
    assert deployment.get("/readyz").json() == {"status": "ready", "database": "read-only"}
    assert [thing.name for thing in reads if not thing.use(node)] == []
    introspected = there.post(there.metadata["introspection_endpoint"], {"token": "unknown"})
    assert introspected.json() == {"active": False}
    first = unused.post(unused.metadata["introspection_endpoint"], {"token": "unknown"})
    assert first.json() == {"active": False}, "that it was used is noted another time"
    for answer in (agent.client.get(there.authorization_url()), refused(waits, node)):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]

    assert_that_it_is_told(deployment)
    deployment.pair.standby.promote()
    wait_until(lambda: waits.use(node), seconds=30, what="writes")
    assert not used.use(node), "what was used at the one is used at the other"
    assert silently(agent, there) == ""
    everybody = {"status": "ready"}  # once no connection to what was a standby is left
    wait_until(lambda: deployment.get("/readyz").json() == everybody, seconds=30, what="readiness")


def assert_that_it_is_told(deployment: Deployment) -> None:
    """To whoever watches, and to whoever asks the doctor."""
    figures = deployment.get("/metrics").text
    assert "idp_database_up 1.0\n" in figures
    assert "idp_database_writable 0.0\n" in figures
    doctor = Command.over(deployment.pair.url(DATABASE), **NEAR)
    state, told = states(doctor)["database"]
    assert (state, told.partition("answers, ")[2]) == (
        "problem",
        "a standby, and none that takes writes: nobody can sign in",
    )


def refused(thing: Thing, node: Remote) -> httpx.Response:
    """What is answered to whoever would change something."""
    answers: list[httpx.Response] = []

    class Listening(Remote):
        def http(self) -> httpx.Client:
            client = super().http()
            client.event_hooks = {"response": [answers.append]}
            return client

    assert not thing.use(Listening(node.port))
    return answers[-1]
