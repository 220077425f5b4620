"""Applications in a real browser: registered, tested, repaired; axe clean, whole at 320 pixels."""

import os
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from idp.models import db
from idp.services.groups import named
from tests.helpers.axe import violations_in_both_schemes
from tests.helpers.chromium import screenshot
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.open_house import open_house
from tests.helpers.user_agent import UserAgent
from tests.web.admin.people import signed_in_as

Look = Callable[[str], None]


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    with open_house(sqlite_url, clock) as opened:
        yield opened


@pytest.fixture
def look(page: Page) -> Look:
    """Keeps a picture of the page, where ``SCREENSHOTS`` names a folder."""

    def keep(name: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            screenshot(page, Path(folder), name)

    return keep


@pytest.fixture(autouse=True)
def inside(page: Page, house: House) -> None:
    """The browser of an administrator who has just used a passkey."""
    agent: UserAgent = signed_in_as(house, "administrator")
    for cookie in agent.cookies.jar:
        page.context.add_cookies(
            [{"name": cookie.name, "value": str(cookie.value), "url": house.settings.issuer}]
        )


class Clicks:
    """Counts what a person presses."""

    def __init__(self) -> None:
        self.number = 0

    def on(self, what: Locator) -> None:
        what.click()
        self.number += 1


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def link(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True)


def test_a_web_application_is_registered_and_tested_green_in_eight_clicks(
    page: Page, house: House, look: Look
) -> None:
    clicks = Clicks()
    page.goto(f"{house.settings.issuer}/admin")
    clicks.on(page.locator("header nav").get_by_role("link", name="Applications"))
    clicks.on(link(page, "New application"))
    look("new")
    clicks.on(link(page, "Server web app"))
    page.get_by_label("Name", exact=True).fill("Wiki")
    page.get_by_label("Redirect addresses").fill("https://wiki.example/callback/")
    expect(page.locator(".notes")).to_contain_text("Address 1 ends in /")
    look("new-web")
    page.get_by_label("Redirect addresses").fill("https://wiki.example/callback")
    expect(page.locator(".notes li")).to_have_count(0)
    expect(page.get_by_label("Nobody yet")).to_be_checked()
    clicks.on(page.get_by_label("Everyone with an account"))
    clicks.on(button(page, "Register"))
    look("connect")
    clicks.on(button(page, "I’ve stored it"))
    clicks.on(link(page, "Test this application"))
    clicks.on(button(page, "Run the test"))
    expect(page.get_by_role("heading", name="It works")).to_be_visible()
    look("tested")
    assert violations_in_both_schemes(page) == []
    assert clicks.number <= 8


def test_a_known_application_is_filled_in_and_let_in_from_its_page(
    page: Page, house: House
) -> None:
    page.goto(f"{house.settings.issuer}/admin/clients/new")
    page.get_by_label("Search known apps").fill("photos")
    page.keyboard.press("Enter")
    link(page, "Immich").press("Enter")
    page.get_by_label("Where is it?").fill("photos.example.com/")
    addresses = page.get_by_label("Redirect addresses")
    expect(addresses).to_have_value(re.compile(r"^https://photos\.example\.com/auth/login\n"))
    button(page, "Register").click()
    link(page, "Choose who may sign in").click()
    groups = page.get_by_label("Groups", exact=True)
    expect(groups).to_be_hidden()
    expect(page.get_by_label("The oldest sign-in, in seconds")).to_be_visible()
    page.get_by_label("Only people in these groups").check()
    groups.fill("Typed, and not chosen after all")
    page.get_by_label("Everyone with an account").check()
    button(page, "Save").click()
    expect(page.get_by_text("Saved. It counts from now on.")).to_be_visible()
    expect(page.get_by_label("Everyone with an account")).to_be_checked()
    house.do(staff)
    page.reload()
    page.get_by_label("Only people in these groups").check()
    page.get_by_label("Staff").check()
    page.get_by_label("Everyone with an account").check()
    button(page, "Save").click()
    expect(page.get_by_text("Saved. It counts from now on.")).to_be_visible()
    expect(page.get_by_label("Everyone with an account")).to_be_checked()
    page.get_by_label("Only people in these groups").check()
    assert heights(page, "main label[for^=who-], main label[for^=group-], .back") >= 44
    assert overlaps(page, "main label[for^=who-], main label[for^=group-]") == 0


def staff(_services: object) -> None:
    named(["Staff"])
    db.session.commit()


def heights(page: Page, selector: str) -> float:
    """Of the lowest of what is shown."""
    found = page.locator(selector).evaluate_all("all => all.map((one) => one.offsetHeight)")
    return float(min(found))


def overlaps(page: Page, selector: str) -> int:
    """How many of them, from top to bottom, begin before the one above has ended."""
    boxes = page.locator(selector).evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect()).map(({top, bottom}) => [top, bottom])"
    )
    boxes.sort()
    return sum(below[0] < above[1] - 1 for above, below in pairwise(boxes))


def test_a_redirect_mismatch_is_repaired_in_three_clicks(
    page: Page, house: House, look: Look
) -> None:
    shop, clicks = house.client(consent="never"), Clicks()
    page.goto(shop.authorization_url(redirect_uri="https://shop.example/callbacks"))
    look("refused-error")
    clicks.on(link(page, "See what was sent and repair it"))
    look("refused")
    assert violations_in_both_schemes(page) == []
    clicks.on(button(page, "Add this address"))
    expect(page.get_by_text("This address is registered now.")).to_be_visible()
    assert clicks.number <= 3


PAGES = (
    "/admin/clients",
    "/admin/clients/new?q=git",
    "/admin/clients/new/web?app=immich",
    "/admin/refused",
    *(
        f"/admin/clients/{{}}{tab}"
        for tab in (
            *("", "/connect", "/details", "/access", "/claims", "/secrets"),
            *("/activity", "/danger", "/registration", "/test"),
        )
    ),
)


@pytest.fixture
def settled(house: House) -> str:
    """Something in every list; returns an application's id."""
    house.client(client_name="An application with quite a long name, as some of them have")
    shop = house.client(client_name="Shop", redirect_uris=["https://shop.example/callback"])
    house.browser().get(shop.authorization_url(redirect_uri="https://shop.example/x"))
    return shop.client_id


def unfold(page: Page) -> None:
    page.evaluate(
        """() => document.querySelectorAll('details').forEach((one) => {
             one.removeAttribute('name');
             one.open = true;
           })"""
    )


def test_every_page_is_clean_in_light_and_dark_and_whole_at_320_pixels(
    page: Page, house: House, settled: str, look: Look
) -> None:
    found, wide = {}, {}
    for one in PAGES:
        path = one.format(settled)
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{house.settings.issuer}{path}")
        look(f"page{one}")
        unfold(page)
        found[one] = violations_in_both_schemes(page)
        page.set_viewport_size({"width": 320, "height": 640})
        look(f"narrow{one}")
        wide[one] = page.evaluate("document.documentElement.scrollWidth")
    page.goto(f"{house.settings.issuer}/admin/clients")
    search = button(page, "Search").bounding_box()
    assert search
    assert search["width"] == 288  # of 320, without gutters
    assert {one: what for one, what in found.items() if what} == {}
    assert {one: width for one, width in wide.items() if width > 320} == {}


def test_what_was_wrong_is_clean_too(page: Page, house: House, look: Look) -> None:
    page.goto(f"{house.settings.issuer}/admin/clients/new/web")
    page.get_by_label("Redirect addresses").fill("http://wiki.example/*")
    page.emulate_media(color_scheme="dark")
    button(page, "Register").click()
    expect(page).to_have_title(re.compile("^Error:"))
    look("error-dark")
    assert violations_in_both_schemes(page) == []
