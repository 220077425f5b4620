"""People, groups and the audit log in Chromium: walked, and nothing that axe objects to."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.helpers.axe import violations_in_both_schemes
from tests.helpers.chromium import VirtualAuthenticator, screenshot
from tests.helpers.clock import FakeClock
from tests.helpers.foreign_people import EXPORTS
from tests.helpers.house import House, Person
from tests.helpers.open_house import open_house
from tests.helpers.sign_in import sign_in

PATHS = (
    *("/admin/people", "/admin/people?q=nobody", "/admin/people/invite", "/admin/people/import"),
    *("/admin/people/import/preview", "/admin/groups", "/admin/audit"),
)


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    with open_house(sqlite_url, clock) as opened:
        yield opened


@pytest.fixture
def bob(house: House) -> Person:
    """Somebody with a bit of everything."""
    made = house.person(
        "bob.with.a.rather.long.name@department.example.com",
        name="Bob Baker",
        username="bob",
        groups=["Cooks", "Waiters"],
    )
    shop = house.client(consent="never")
    sign_in(house.browser(), shop.authorization_url(), username=made.email, password=made.password)
    house.totp(made)
    return made


@pytest.fixture
def inside(page: Page, house: House, bob: Person) -> Callable[[str], None]:
    """Go somewhere as an administrator, who has just set up a passkey."""
    ann = house.person("ann@example.com", name="Ann Archer", role="administrator")
    VirtualAuthenticator(page)
    page.goto(f"{house.settings.issuer}/me/passkeys")
    page.get_by_label("Email address").fill(ann.email)
    page.get_by_label("Password", exact=True).fill(ann.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url("**/recovery_code")

    def go(path: str) -> None:
        page.goto(f"{house.settings.issuer}{path}")

    return go


def look(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        screenshot(page, Path(folder), name)


def test_walked_and_looked_at(
    page: Page, house: House, bob: Person, inside: Callable[[str], None]
) -> None:
    inside("/admin/people/import")
    page.get_by_label("Or the text itself").fill(EXPORTS["CSV, Argon2i"].content.decode())
    page.get_by_role("button", name="Look at it first").click()
    page.wait_for_url("**/preview")
    inside("/admin/people?q=bob")
    page.get_by_role("link", name="Bob Baker").click()
    page.wait_for_url(f"**/people/{bob.id}")
    person = page.url.removeprefix(house.settings.issuer)
    inside("/admin/groups")
    page.get_by_role("link", name="Cooks").click()
    page.wait_for_url("**/groups/*")
    group = page.url.removeprefix(house.settings.issuer)
    found, widest = {}, {}
    for path in (*PATHS, person, f"{person}/profile", group):
        inside(path)
        assert page.url.endswith(path), page.url
        look(page, f"light{path}")
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        found[path] = violations_in_both_schemes(page)
        page.emulate_media(color_scheme="dark")
        look(page, f"dark{path}")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 320, "height": 640})
        look(page, f"narrow{path}")
        widest[path] = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size({"width": 1280, "height": 800})
    assert {path: what for path, what in found.items() if what} == {}
    assert {path: wide for path, wide in widest.items() if wide > 320} == {}


BENEATH = """() => [...document.querySelectorAll('.table th')].flatMap(cell => {
  const drawn = one => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return range.getBoundingClientRect();
  };
  const [name, beneath] = [cell.querySelector('a'), cell.querySelector('.meta')];
  return name && beneath ? [drawn(beneath).top - drawn(name).bottom] : [];
})"""
"""How many pixels are between each name of a list and what stands beneath it."""


@pytest.mark.parametrize("width", [1280, 320])
def test_no_name_runs_into_what_stands_beneath_it(
    page: Page, house: House, inside: Callable[[str], None], width: int
) -> None:
    for name in ("Short", "Wiki of the whole kitchen, and of everybody who has ever cooked in it"):
        house.client(client_name=name)
        house.person(f"{name.split()[0].lower()}@example.com", name=name)
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/admin/people", "/admin/clients"):
        inside(path)
        gaps = page.evaluate(BENEATH)
        assert len(gaps) >= 2
        assert min(gaps) >= 0, path
