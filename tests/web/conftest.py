"""A house for each test, on one database; races and storage are tested on both elsewhere."""

import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.house import House


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> House:
    """The program, with nobody in it."""
    return House(sqlite_url, clock)
