"""One provider for all of these tests; each brings people and browsers of its own."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page

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
def calm(page: Page) -> Iterator[None]:
    """Nothing here puts an error on the console."""
    errors: list[str] = []
    page.on("console", lambda message: errors.extend(_error(message)))
    yield
    assert errors == []


def _error(message: ConsoleMessage) -> list[str]:
    """Chromium reports a page that is answered with 4xx as well: that is no mistake of ours."""
    path = urlsplit(message.location["url"]).path
    refused = message.text.startswith("Failed to load") and not path.startswith("/static/")
    return [message.text] if message.type == "error" and not refused else []
