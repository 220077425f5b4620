"""One house for all tests of a file, with one of each who may call."""

import pytest

from tests.helpers.house import House
from tests.web.api.calling import Tool, as_role


@pytest.fixture(scope="module")
def admin(town: House) -> Tool:
    """An administrator, with a token for everything."""
    return as_role(town, "administrator")
