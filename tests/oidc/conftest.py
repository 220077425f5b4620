"""The whole application, spoken to by relying parties; sign-in itself is skipped."""

from collections.abc import Iterator

import pytest

from idp.services.jose import ALGORITHMS, make_key
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.oidc.desk import Desk, Keys, opened


@pytest.fixture(scope="session")
def made_keys() -> Keys:
    """One key of each kind for all tests of this process: RSA keys take their time."""
    return {algorithm: make_key(algorithm) for algorithm in ALGORITHMS}


@pytest.fixture
def desk(
    request: pytest.FixtureRequest, databases: Databases, clock: FakeClock, made_keys: Keys
) -> Iterator[Desk]:
    """Over SQLite; over PostgreSQL too for tests ``on_both``: those that storage has a say in."""
    with databases.fresh(getattr(request, "param", "sqlite")) as url:
        yield from opened(url, clock, made_keys)


@pytest.fixture(scope="module")
def module_url(databases: Databases) -> Iterator[str]:
    """A database for all tests of a module; races and storage are tested on both elsewhere."""
    with databases.fresh("sqlite") as url:
        yield url
