"""Back onto a page that said what was wrong: it leads to the step, or on, and not to an error."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sign_in.world import World, enter, headed, main, press
from tests.helpers.house import PASSWORD


def refused(page: Page) -> None:
    """Something was wrong, and that is said."""
    expect(page.locator("[data-summary]")).to_be_visible()


def test_once_the_sign_in_is_finished_it_leads_on(gate: World, page: Page) -> None:
    shop = gate.shop()
    page.goto(shop.authorization_url())
    enter(page, gate.newcomer(), "wrong")
    refused(page)
    page.locator("[name=password]").fill(PASSWORD)
    press(page, "Sign in")
    assert "code" in gate.returned(page)
    page.go_back()
    headed(page, "You’re already signed in")
    page.get_by_role("link", name="Continue to Lampwright").click()
    assert "code" in gate.returned(page)


def test_a_wrong_code_then_the_right_one(gate: World, page: Page) -> None:
    ana, shop = gate.newcomer(), gate.shop()
    app = gate.totp(ana)
    page.goto(shop.authorization_url())
    enter(page, ana)
    right = app()
    page.locator("[name=otp]").fill("000000" if right != "000000" else "111111")
    press(page, "Continue")
    refused(page)
    page.locator("[name=otp]").fill(app())
    press(page, "Continue")
    assert "code" in gate.returned(page)
    page.go_back()
    headed(page, "You’re already signed in")


def test_before_it_is_finished_it_is_the_step_again(gate: World, page: Page) -> None:
    page.goto(gate.shop().authorization_url())
    enter(page, gate.newcomer(), "wrong")
    refused(page)
    page.goto(f"{gate.url}/nothing")
    page.go_back()
    expect(page.locator("[name=password]")).to_be_visible()
    expect(page.locator("[data-summary]")).to_have_count(0)


def test_the_address_left_out_where_it_has_a_page_of_its_own(two_pages: World, page: Page) -> None:
    page.goto(two_pages.shop().authorization_url())
    press(page, "Continue")
    refused(page)
    assert page.url.endswith("/identify")
    page.goto(f"{two_pages.url}/nothing")
    page.go_back()
    headed(page, "Sign in to Lampwright")


def test_a_form_beside_the_sign_in(gate: World, page: Page) -> None:
    page.goto(f"{gate.url}/login/forgotten")
    press(page, "Send the link")
    refused(page)
    page.locator("[name=username]").fill("nobody@example.com")
    press(page, "Send the link")
    headed(page, "Check your email")
    page.goto(f"{gate.url}/nothing")
    page.go_back()
    headed(page, "Set a new password")


def test_a_page_of_ones_own(gate: World, page: Page) -> None:
    page.goto(f"{gate.url}/me/security/email")
    enter(page, gate.newcomer())
    page.wait_for_url("**/me/security/email")
    page.get_by_label("New email address").fill("nobody")
    press(page, "Send the link")
    refused(page)
    page.get_by_role("link", name="Sessions").click()
    page.wait_for_url("**/me/sessions")
    page.go_back()
    expect(page.get_by_label("New email address")).to_be_visible()
    expect(main(page)).not_to_contain_text("There is a problem")


@pytest.mark.parametrize("last", ["account", "cancel", "consent", "forgotten", "identify", "leave"])
def test_what_is_only_posted_to_leads_to_the_step(gate: World, page: Page, last: str) -> None:
    page.goto(gate.shop().authorization_url())
    step = page.url
    page.goto(f"{step}/{last}")
    assert page.url == step
    page.goto(f"{step}/recovery_code/saved")
    assert page.url == step
