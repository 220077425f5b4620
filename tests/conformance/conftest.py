"""One house for each module, with a person in it of whom every standard claim is known.

The suite that this follows is the OpenID Foundation's; each test is called what it calls it.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from idp.cli.demo_people import PEOPLE
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import PASSWORD, House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import sign_in
from tests.helpers.user_agent import Departure, UserAgent
from tests.web.walking import housed

ALL_SCOPES = "openid profile email address phone"

SignIn = Callable[..., Departure]
"""``(client, agent=…, **changes)``: sends the request and does what it takes; where that ends."""


@pytest.fixture(scope="module")
def op(databases: Databases) -> Iterator[House]:
    """The provider under test."""
    with databases.fresh("sqlite") as url, housed(url, FakeClock()) as house:
        yield house


@pytest.fixture(scope="module")
def alice(op: House) -> Person:
    """Every claim of hers is there (userinfo has to show them all)."""
    known: dict[str, Any] = {**PEOPLE[0], "groups": ()}
    return op.person(password=PASSWORD, **known)


@pytest.fixture(scope="module")
def rp(op: House) -> RelyingParty:
    """A client of the code flow, for all tests of a module."""
    return op.client(client_name="Code", scope=ALL_SCOPES)


@pytest.fixture(scope="module")
def log_in(op: House, alice: Person) -> SignIn:
    def walk(client: RelyingParty, agent: UserAgent | None = None, **changes: Any) -> Departure:
        return sign_in(
            agent or op.browser(),
            client.authorization_url(**changes),
            username=alice.email,
            password=alice.password,
        )

    return walk


@pytest.fixture
def agent(op: House) -> UserAgent:
    """A browser with no cookies."""
    return op.browser()
