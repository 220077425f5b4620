"""One provider for all of these tests; each brings people and browsers of its own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.sign_in.world import World, world
from tests.helpers.databases import Databases


@pytest.fixture(scope="session")
def gate(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With the usual sign-in: one screen."""
    with world(databases, tmp_path_factory.mktemp("gate"), {}) as running:
        yield running


@pytest.fixture(scope="session")
def two_pages(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With the address on a page of its own."""
    style = {"IDP_LOGIN_STYLE": "identifier_first"}
    with world(databases, tmp_path_factory.mktemp("two-pages"), style) as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(page: Page) -> None:
    """Nothing here takes long; what does not come is not waited for for half a minute."""
    page.set_default_timeout(8_000)
