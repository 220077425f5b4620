"""The first administrator, then overview, keys, health and settings, in a real browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.axe import violations_in_both_schemes
from tests.helpers.chromium import VirtualAuthenticator, screenshot
from tests.helpers.clock import FakeClock
from tests.helpers.house import PASSWORD, House
from tests.helpers.open_house import open_house

PAGES = ("/admin", "/admin/keys", "/admin/health", "/admin/settings", "/admin/explain")


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    with open_house(sqlite_url, clock) as opened:
        yield opened


def look(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        screenshot(page, Path(folder), name)


def become_administrator(page: Page, house: House) -> None:
    """By the link that the server prints, with a passkey, as somebody would."""
    page.goto(house.do(lambda services: services.first_run.link(house.context)))
    assert violations_in_both_schemes(page) == []
    look(page, "first-run")
    page.get_by_label("Email address").fill("ann@example.com")
    page.get_by_label("Your name (optional)").fill("Ann Archer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue to your passkey").click()
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_role("button", name="passkey").first.click()
    expect(page.get_by_role("heading", name="Save your recovery codes")).to_be_visible()
    page.get_by_label("I’ve saved these").check()
    page.get_by_role("button", name="Continue", exact=True).click()
    page.wait_for_url("**/admin")


def test_from_the_printed_link_to_pages_that_axe_has_nothing_against(
    page: Page, house: House
) -> None:
    VirtualAuthenticator(page)
    become_administrator(page, house)
    house.do(lambda services: services.key_rotation.rotate(house.context, algorithms=["ES256"]))
    found, widths = {}, {}
    for path in PAGES:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{house.settings.issuer}{path}")
        assert page.url.endswith(path), page.url
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        found[path] = violations_in_both_schemes(page)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            look(page, f"{scheme}{path}")
        page.set_viewport_size({"width": 320, "height": 640})
        look(page, f"narrow{path}")
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    assert {path: what for path, what in found.items() if what} == {}
    assert {path: width for path, width in widths.items() if width > 320} == {}


def test_a_brand_is_worn_and_can_be_read(page: Page, house: House) -> None:
    values = {"accent": "#7a1fa2", "radius": "0", "site_name": "Orchard"}
    house.do(lambda services: services.changed_settings.set(values, house.context))
    page.goto(f"{house.settings.issuer}/login/")
    worn = page.evaluate("getComputedStyle(document.body).getPropertyValue('--accent')")
    assert worn.strip() == "#7a1fa2"
    assert violations_in_both_schemes(page) == []
    look(page, "brand")
