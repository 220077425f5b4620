"""The shop in Chromium: nothing of its own is refused by its policy, nothing is cut off."""

import pytest
from playwright.sync_api import Page, expect

from tests.clients.conftest import Shopper
from tests.clients.provider import Provider
from tests.helpers.chromium import Problems

WIDTHS = (1280, 320)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_visit(page: Page, shopper: Shopper, provider: Provider, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    def look(heading: str) -> None:
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert fits(page), f"{heading} at {width}"

    page.goto(shopper.url)
    look("Something to see by")
    page.get_by_role("button", name="Sign in").click()
    look("Good to see you, Alice")
    for button, notice in {
        "Fresh sign-in": "afresh",
        "Two factors": "two factors",
        "Phishing-resistant": "phished",
        "Confirm an order": "The order is confirmed",
    }.items():
        page.goto(f"{shopper.url}/account")
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("status")).to_contain_text(notice)
    look("Thank you")
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="See my balance").click()
    look("Your ledger")
    page.get_by_role("button", name="Transfer").click()
    expect(page.get_by_role("status")).to_contain_text("12.50 € are on their way")
    provider.refusal = {"error": "access_denied", "error_description": "x" * 500}
    page.goto(f"{shopper.url}/account")
    page.get_by_role("button", name="Fresh sign-in").click()
    look("You turned back")
    page.get_by_role("button", name="Sign out").click()
    look("Something to see by")


def test_the_shop_runs_no_script(page: Page, shopper: Shopper, page_problems: Problems) -> None:
    page.goto(shopper.url)
    assert page.locator("script").count() == 0
    assert page_problems == []
