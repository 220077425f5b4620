"""The log on a narrow screen, and a colour that is picked, in Chromium."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.chromium import screenshot
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.open_house import open_house
from tests.web.admin.people import signed_in_as

NARROW, WIDE = (320, 640), (1280, 800)


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    with open_house(sqlite_url, clock) as opened:
        yield opened


@pytest.fixture
def at(page: Page, house: House) -> Callable[[str], None]:
    """Go somewhere as an administrator."""
    for cookie in signed_in_as(house, "administrator").cookies.jar:
        page.context.add_cookies(
            [{"name": cookie.name, "value": str(cookie.value), "url": house.settings.issuer}]
        )

    def go(path: str) -> None:
        page.goto(f"{house.settings.issuer}{path}")

    return go


def look(page: Page, name: str) -> None:
    """On both widths nothing sticks out; kept in pictures where ``SCREENSHOTS`` names a folder.

    What axe says of these pages is in the other files here, which open every one of them.
    """
    for width, height in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in ("light", "dark") if "SCREENSHOTS" in os.environ else ():
            page.emulate_media(color_scheme=scheme)
            screenshot(page, Path(os.environ["SCREENSHOTS"]), f"{name}-{scheme}-{width}")
    page.emulate_media(color_scheme="light")


def test_what_happened_is_on_the_first_screen(page: Page, at: Callable[[str], None]) -> None:
    width, height = NARROW
    page.set_viewport_size({"width": width, "height": height})
    at("/admin/audit")
    event = page.get_by_role("textbox", name="Event")
    expect(event).to_be_hidden()
    expect(page.locator(".events > li").first).to_be_in_viewport()
    look(page, "log")
    expect(event).to_be_visible()  # there is room for all of them by now
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_text("Filters").click()
    event.fill("user.created")
    page.get_by_role("button", name="Search").click()
    expect(event).to_have_value("user.created")
    expect(event).to_be_visible()
    look(page, "log-filtered")
    _pick_a_colour(page, at)


def _pick_a_colour(page: Page, at: Callable[[str], None]) -> None:
    at("/admin/settings")
    field, picker = page.get_by_label("Accent colour"), page.get_by_label("Or pick it")
    picker.fill("#7a1fa2")
    expect(field).to_have_value("#7a1fa2")
    field.fill("#00695c")
    expect(picker).to_have_value("#00695c")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(field).to_have_value("#00695c")
    look(page, "settings")
