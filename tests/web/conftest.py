"""Houses on one database; races and storage are tested on both elsewhere."""

from collections.abc import Iterator

import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.web.walking import housed


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    """The program, with nobody in it."""
    with housed(sqlite_url, clock) as made:
        yield made


@pytest.fixture(scope="module")
def databases_url(databases: Databases) -> Iterator[str]:
    """A database for all tests of a module."""
    with databases.fresh("sqlite") as url:
        yield url


@pytest.fixture(scope="module")
def town(databases_url: str) -> Iterator[House]:
    """The same for all tests of a module: each brings its own people, and may move the clock on."""
    with housed(databases_url, FakeClock()) as made:
        yield made
