"""The narrowest screen: 320 CSS pixels, which is also 1280 at 400 % (WCAG 2.2, 1.4.10)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.account.conftest import Look
from tests.helpers.chromium import VirtualAuthenticator
from tests.helpers.house import House, Person


@pytest.fixture(autouse=True)
def narrow(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})


def box(found: Locator) -> FloatRect:
    measured = found.bounding_box()
    assert measured is not None
    return measured


def test_allow_and_cancel_stand_one_below_the_other(
    page: Page, house: House, alice: Person, look: Look
) -> None:
    shop = house.client(consent="always")
    page.goto(shop.authorization_url(scope="openid profile email"))
    page.get_by_label("Email address").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(alice.password)
    assert box(page.get_by_role("button", name="I’ve forgotten my password"))["height"] >= 44
    page.get_by_role("button", name="Sign in", exact=True).click()
    allow = box(page.get_by_role("button", name="Allow"))
    cancel = box(page.get_by_role("button", name="Cancel"))
    look("narrow-consent")
    assert allow["width"] == cancel["width"] >= 280
    assert cancel["y"] >= allow["y"] + allow["height"]


def test_codes_stand_in_one_column_and_none_is_broken(
    page: Page, enter: Callable[[str], None], authenticator: VirtualAuthenticator, look: Look
) -> None:
    enter("/me/passkeys")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("heading", name="Save your recovery codes").wait_for()
    look("narrow-codes")
    codes = page.locator("#codes code")
    expect(codes).to_have_count(10)
    boxes = [box(one) for one in codes.all()]
    assert len({one["x"] for one in boxes}) == 1
    assert all(one["height"] < 32 for one in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    look("narrow-codes-large")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    right = page.evaluate("document.querySelector('#codes').getBoundingClientRect().right")
    assert all(one["x"] + one["width"] <= right for one in map(box, codes.all()))
    page.evaluate("document.documentElement.style.fontSize = ''")
    told = page.get_by_role("status").filter(has_text="A passkey was added.")
    expect(told).to_be_visible()
    page.emulate_media(media="print")
    expect(told).to_be_hidden()
    expect(codes.first).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("heading", name="How you sign in").wait_for()
    page.wait_for_load_state()
    manage = page.get_by_role("link", name="Manage:").all()
    assert len(manage) >= 3
    assert {box(one)["width"] for one in manage} == {254}  # of 320, without gutters and frame


def test_the_words_on_a_passkeys_button_are_beside_its_sign(
    page: Page, house: House, alice: Person, look: Look
) -> None:
    house.passkey(alice)
    page.goto(f"{house.settings.issuer}/me")
    page.get_by_label("Email address").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(alice.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    button = page.get_by_role("button", name="Continue with a passkey")
    sign = box(button.locator("svg"))
    words = button.locator("span").evaluate(
        """span => {
             const text = document.createRange();
             text.selectNodeContents(span);
             return [...text.getClientRects()].map(line => line.left);
           }"""
    )
    look("narrow-passkey")
    assert all(0 < left - (sign["x"] + sign["width"]) <= 16 for left in words)


def test_the_tabs_are_one_line_and_the_present_one_is_in_sight(
    page: Page, house: House, enter: Callable[[str], None], look: Look
) -> None:
    enter("/me/security")
    for path, name in (("/me/security", "Security"), ("/me/activity", "Activity")):
        page.goto(f"{house.settings.issuer}{path}")
        tabs = page.get_by_role("navigation", name="Account").get_by_role("link")
        assert len({box(one)["y"] for one in tabs.all()}) == 1
        present = box(page.get_by_role("link", name=name, exact=True).first)
        assert 0 <= present["x"] <= 320 - present["width"]
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        look(f"narrow-tabs{path}")
