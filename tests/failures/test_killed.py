"""SIGKILL between a claim and what it buys: neither or both, and never two.

Mutation: a commit of its own for the claim (``db.session.commit()`` after ``CLAIM`` in
``Grants._claimed``), and a code is lost without having bought anything.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from idp.clock import system_clock
from tests.failures import artefacts
from tests.failures.artefacts import Remote, Thing
from tests.failures.node import MOMENTS, arm
from tests.helpers.clock import FakeClock
from tests.helpers.databases import KINDS, Databases
from tests.helpers.house import CHEAP, ISSUER, House
from tests.helpers.servers import serve
from tests.web.walking import housed

# With opaque access tokens: else all is one statement on PostgreSQL, and nobody comes between.
SEVERAL: dict[str, Any] = {"access_token_format": "opaque"}

MAKERS: dict[str, Callable[[House], Thing]] = {
    "code": partial(artefacts.code, **SEVERAL),
    "refresh token": partial(artefacts.refresh_token, **SEVERAL),
    "totp": artefacts.totp,
    "recovery_code": artefacts.recovery_code,
    "reset link": artefacts.reset_link,
}


def command(port: int) -> list[str]:
    return [sys.executable, "-m", "tests.failures.node", str(port)]


@dataclass(frozen=True)
class Deadly:
    """A node that dies when it is told to, and a house over the same database to look."""

    house: House
    node: Remote
    folder: Path

    def dies(self, thing: Thing, moment: str) -> None:
        """Use it while the node is armed; asserts that there came no answer."""
        arm(self.folder, thing.name, moment)
        with pytest.raises(httpx.TransportError):
            thing.use(self.node)
        assert not (self.folder / "failpoint").exists()

    def use(self, thing: Thing) -> bool:
        return thing.use(self.node)


@pytest.fixture(scope="module", params=KINDS)
def deadly(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deadly]:
    folder = tmp_path_factory.mktemp("deadly")
    settings = {f"IDP_{name.upper()}": str(value) for name, value in CHEAP.items()}
    with (
        databases.fresh(request.param) as url,
        housed(url, FakeClock(system_clock()), mail_url=None) as house,
        serve(url, folder, settings=settings | {"IDP_ISSUER": ISSUER}, command=command) as servers,
    ):
        yield Deadly(house, Remote(servers[0].port), folder)


@pytest.mark.parametrize("name", MAKERS)
def test_it_buys_what_it_buys_once(deadly: Deadly, name: str) -> None:
    deadly.house.clock.set(system_clock())  # the node goes by the machine's
    thing = MAKERS[name](deadly.house)
    for moment in MOMENTS[:3]:
        deadly.dies(thing, moment)  # each time as if it had never been tried
    deadly.dies(thing, "before the answer")
    # What was lost there was the answer. One to a refresh is given again (RFC 9700, 4.14.2).
    assert deadly.use(thing) == (name == "refresh token")


def test_the_same_things_are_good_where_nobody_dies(deadly: Deadly) -> None:
    deadly.house.clock.set(system_clock())
    for name, make in MAKERS.items():
        assert deadly.use(make(deadly.house)), name
