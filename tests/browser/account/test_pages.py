"""Every account page: nothing that axe objects to, light and dark, and whole at 320 pixels."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.axe import violations_in_both_schemes
from tests.helpers.chromium import VirtualAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.sign_in import sign_in

Enter = Callable[[str], None]
Look = Callable[[str], None]

PAGES = (
    "/me",
    "/me/security",
    "/me/passkeys",
    "/me/security/totp",
    "/me/security/totp/new",
    "/me/security/password",
    "/me/security/password/new",
    "/me/security/recovery_code",
    "/me/security/email",
    "/me/security/delete",
    "/me/sessions",
    "/me/apps",
    "/me/activity",
)
ERRORS = {
    "/me/passkeys": ("Save name", {"Name": " "}),
    "/me/security/totp/new": ("Replace it", {"6-digit code": "123"}),
    "/me/security/password/new": ("Save the new password", {"New password": "short"}),
    "/me/security/email": ("Send the link", {"New email address": "nobody"}),
    "/me/security/delete": ("Delete my account", {"Type your email address": "no"}),
}


@pytest.fixture
def settled(page: Page, house: House, alice: Person, enter: Enter) -> None:
    """An account with something on every page."""
    VirtualAuthenticator(page, backup_eligible=False, backup_state=False)
    shop = house.client(client_name="A shop with quite a long name, as shops have them")
    url = shop.authorization_url(scope="openid profile email", prompt="consent")
    sign_in(house.browser(), url, username=alice.email, password=alice.password)
    enter("/me/passkeys")
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url("**/recovery_code")
    house.totp(alice)


def tour(page: Page, house: House) -> Iterator[str]:
    for path in PAGES:
        page.goto(f"{house.settings.issuer}{path}")
        assert page.url.endswith(path), page.url
        yield path


def unfold(page: Page) -> None:
    """Open everything that opens, also what otherwise opens one at a time."""
    page.evaluate(
        """() => document.querySelectorAll('details').forEach((one) => {
             one.removeAttribute('name');
             one.open = true;
           })"""
    )


def test_axe_finds_nothing(page: Page, house: House, settled: None, look: Look) -> None:
    found = {}
    for path in tour(page, house):
        unfold(page)
        found[path] = violations_in_both_schemes(page)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            look(f"{scheme}{path}")
    assert {path: what for path, what in found.items() if what} == {}


def test_axe_finds_nothing_on_what_is_only_linked(
    page: Page, house: House, settled: None, look: Look
) -> None:
    page.goto(f"{house.settings.issuer}/me/activity")
    doubt = page.get_by_text("This wasn’t me").first
    measured = doubt.bounding_box()
    assert measured is not None
    assert measured["height"] >= 44
    doubt.click()
    page.wait_for_url("**/me/activity/*")
    look("dispute")
    assert violations_in_both_schemes(page) == []
    page.goto(f"{house.settings.issuer}/me/email/nothing")
    assert violations_in_both_schemes(page) == []


def test_axe_finds_nothing_where_something_was_wrong(
    page: Page, house: House, settled: None, look: Look
) -> None:
    found = {}
    for path, (button, fields) in ERRORS.items():
        page.goto(f"{house.settings.issuer}{path}")
        unfold(page)
        for label, value in fields.items():
            page.get_by_label(label, exact=True).first.fill(value)
        page.get_by_role("button", name=button).first.click()
        expect(page).to_have_title(re.compile("^Error:"))
        look(f"error{path}")
        found[path] = violations_in_both_schemes(page)
    assert {path: what for path, what in found.items() if what} == {}


def test_nothing_is_cut_off_at_320_pixels(
    page: Page, house: House, settled: None, look: Look
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    for path in tour(page, house):
        unfold(page)
        look(f"narrow{path}")
        widest = page.evaluate("document.documentElement.scrollWidth")
        assert widest <= 320, (path, widest)


def test_the_overview_stays_on_a_narrow_page_with_text_twice_as_large(
    page: Page, house: House, settled: None
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{house.settings.issuer}/me")
    assert page.get_by_role("heading", name="Connected apps").is_visible()
    widest = page.evaluate(
        "(document.documentElement.style.fontSize = '200%', document.documentElement.scrollWidth)"
    )
    assert widest <= 320


def test_targets_are_large_enough_to_touch(page: Page, house: House, settled: None) -> None:
    """WCAG 2.2, 2.5.8: 24 pixels at least, for all that stands by itself."""
    page.set_viewport_size({"width": 320, "height": 640})
    small = {}
    for path in tour(page, house):
        small[path] = page.evaluate(
            """() => [...document.querySelectorAll('button, summary, input, a.button, nav a')]
              .filter((one) => one.checkVisibility() && one.type !== 'hidden')
              .map((one) => [one.innerText || one.name, one.getBoundingClientRect()])
              .filter(([, box]) => box.height > 1 && (box.height < 24 || box.width < 24))
              .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
        )
    assert {path: found for path, found in small.items() if found} == {}
