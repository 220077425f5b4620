"""SIGKILL between a claim and what it buys: neither or both, and never two.

Mutation: a commit of its own for the claim (``db.session.commit()`` after ``CLAIM`` in
``Grants._claimed``), and a code is lost without having bought anything. The same after ``take`` in
``MagicLink._redeem`` for the mailed link, at the end of ``Pending.claim`` for the passkey, and
after ``_CLAIM`` in ``DevicePolling._claim`` for the device code.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from idp.clock import system_clock
from idp.models import Grant, db
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
    "mailed link": artefacts.mailed_link,
    "passkey": artefacts.passkey,
    "device code": partial(artefacts.device_code, **SEVERAL),
}

SIGNS_IN = {"totp", "recovery_code", "mailed link", "passkey"}
"""What is the last step of a sign-in, whose client is sent a code."""

GIVEN_AGAIN = {"refresh token", "passkey"}
"""What was lost was the answer. One to a refresh is given again (RFC 9700, 4.14.2), and whoever
sends the same step of a sign-in again is sent on with the same code."""


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

    def grants(self) -> int:
        """How many there are of all people."""
        with self.house.app.app_context():
            return db.session.scalar(select(func.count(Grant.id))) or 0


@pytest.fixture(scope="module", params=KINDS)
def deadly(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deadly]:
    folder = tmp_path_factory.mktemp("deadly")
    settings = {f"IDP_{name.upper()}": str(value) for name, value in CHEAP.items()}
    settings |= {"IDP_ISSUER": ISSUER, "IDP_MAIL_URL": "console:"}
    with (
        databases.fresh(request.param) as url,
        housed(url, FakeClock(system_clock())) as house,
        serve(url, folder, settings=settings, command=command) as servers,
    ):
        yield Deadly(house, Remote(servers[0].port), folder)


@pytest.mark.parametrize("name", MAKERS)
def test_it_buys_what_it_buys_once(deadly: Deadly, name: str) -> None:
    deadly.house.clock.set(system_clock())  # the node goes by the machine's
    thing = MAKERS[name](deadly.house)
    grants = deadly.grants()
    for moment in MOMENTS[:3]:
        deadly.dies(thing, moment)  # each time as if it had never been tried
    assert deadly.grants() == grants
    deadly.dies(thing, "before the answer")
    assert deadly.use(thing) == (name in GIVEN_AGAIN)
    assert deadly.grants() - grants == (name in SIGNS_IN)


def test_the_same_things_are_good_where_nobody_dies(deadly: Deadly) -> None:
    deadly.house.clock.set(system_clock())
    for name, make in MAKERS.items():
        assert deadly.use(make(deadly.house)), name
