"""Somebody with an account, and somebody else."""

import pytest

from tests.helpers.house import House, Person


@pytest.fixture
def alice(house: House) -> Person:
    return house.person()


@pytest.fixture
def bob(house: House) -> Person:
    return house.person("bob@example.com")
