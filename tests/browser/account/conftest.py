"""Somebody at her own pages, in a real browser with an authenticator built in."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.helpers.chromium import VirtualAuthenticator, screenshot
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.open_house import open_house

Look = Callable[[str], None]


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    """The program, where Chromium can reach it."""
    with open_house(sqlite_url, clock) as opened:
        yield opened


@pytest.fixture
def alice(house: House) -> Person:
    return house.person(name="Alice Archer")


@pytest.fixture
def authenticator(page: Page) -> VirtualAuthenticator:
    """Plugged in before anything is opened."""
    return VirtualAuthenticator(page)


@pytest.fixture
def look(page: Page) -> Look:
    """Keeps a picture of the page, where ``SCREENSHOTS`` names a folder."""

    def keep(name: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            screenshot(page, Path(folder), name)

    return keep


@pytest.fixture
def enter(page: Page, house: House, alice: Person) -> Callable[[str], None]:
    """Go to a page of hers, signing in by password on the way."""

    def go(path: str) -> None:
        page.goto(f"{house.settings.issuer}{path}")
        page.get_by_label("Email address").fill(alice.email)
        page.get_by_label("Password", exact=True).fill(alice.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(f"**{path}")

    return go
