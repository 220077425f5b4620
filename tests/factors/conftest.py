from collections.abc import Iterator

import pytest

from idp.factors.base import Tools
from idp.models import User
from tests.factors.race import Racetrack, racetrack
from tests.factors.storage import add_person, make_tools, storage


@pytest.fixture
def tables(sqlite_url: str) -> Iterator[None]:
    with storage(sqlite_url):
        yield


@pytest.fixture
def raced_url(database_url: str) -> Iterator[str]:
    """The address of tables that several processes fight over, on each kind of database."""
    with storage(database_url):
        yield database_url


@pytest.fixture
def tools() -> Tools:
    return make_tools()


@pytest.fixture
def alice(tables: None) -> User:
    return add_person("alice@example.com")


@pytest.fixture
def bob(tables: None) -> User:
    return add_person("bob@example.com")


@pytest.fixture(scope="session")
def track() -> Iterator[Racetrack]:
    with racetrack() as made:
        yield made
