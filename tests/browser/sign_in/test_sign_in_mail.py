"""The link and the code of a sign-in mail, in the browser that asked and in another."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.sign_in.world import World, headed, main, press
from tests.helpers.chromium import Problems
from tests.helpers.house import Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.smtp import code, links


@pytest.fixture
def shop(gate: World) -> RelyingParty:
    return gate.shop()


def ask(page: Page, shop: RelyingParty, email: str) -> None:
    """Ask for the mail from the first page."""
    page.goto(shop.authorization_url())
    page.locator("[name=username]").fill(email)
    press(page, "Email me a sign-in link")
    headed(page, "Check your email")


def link_for(gate: World, person: Person) -> str:
    mail = gate.outbox.latest(to=person.email, seconds=15)
    return next(link for link in links(mail) if "/login/link/" in link)


def test_the_code(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    ask(page, shop, ana.email)
    expect(page.locator("[name=code]")).to_be_focused()
    expect(main(page)).to_contain_text(f"If an account exists for {ana.email}")
    right = code(gate.outbox.latest(to=ana.email, seconds=15))
    page.locator("[name=code]").fill("000000" if right != "000000" else "111111")
    press(page, "Continue")
    expect(page.locator("[data-summary]")).to_contain_text("That code is not right.")
    page.locator("[name=code]").fill(f"{right[:3]} {right[3:]}")
    press(page, "Continue")
    assert gate.finish(page, shop).claims["amr"] == ["email"]


def test_an_address_nobody_has_looks_alike(gate: World, shop: RelyingParty, page: Page) -> None:
    ask(page, shop, "nobody@example.com")
    expect(main(page)).to_contain_text("If an account exists for nobody@example.com")
    resend = page.get_by_role("button", name="You can ask again in")
    expect(resend).to_have_attribute("aria-disabled", "true")


def test_a_code_left_empty_asks_for_no_second_mail(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    ana = gate.newcomer()
    ask(page, shop, ana.email)
    press(page, "Continue")
    expect(page.locator("[data-summary]")).to_contain_text("Enter the 6-digit code from the mail.")
    page.locator("[name=code]").fill(code(gate.outbox.latest(to=ana.email, seconds=15)))
    press(page, "Continue")
    assert gate.finish(page, shop).claims["amr"] == ["email"]
    assert len(gate.outbox.to(ana.email)) == 1


def test_another_mail_whatever_stands_in_the_field(
    gate: World, shop: RelyingParty, browser: Browser
) -> None:
    ana = gate.newcomer()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    ask(page, shop, ana.email)
    page.locator("[name=code]").fill("123")
    press(page, "Send it again")
    headed(page, "Check your email")
    page.locator("[name=code]").fill(code(gate.outbox.wait(2, to=ana.email, seconds=15)[-1]))
    press(page, "Continue")
    assert gate.finish(page, shop).claims["amr"] == ["email"]
    context.close()


def test_the_link_opened_here(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    ask(page, shop, ana.email)
    page.goto(link_for(gate, ana))
    headed(page, "Sign in to Lampwright?")
    page.reload()
    headed(page, "Sign in to Lampwright?")
    press(page, "Sign in")
    assert gate.finish(page, shop).claims["amr"] == ["email"]


def test_the_tab_that_waits_for_the_mail_notices_that_its_link_was_used(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    ana = gate.newcomer()
    ask(page, shop, ana.email)
    other = page.context.new_page()
    other.goto(link_for(gate, ana))
    press(other, "Sign in")
    assert gate.finish(other, shop).claims["amr"] == ["email"]
    notice = page.get_by_role("status").filter(has_text="You’re signed in.")
    notice.get_by_role("link", name="Continue").click()
    headed(page, "You’re already signed in")


def test_the_link_opened_elsewhere_shows_the_code_and_signs_nobody_in(
    gate: World, shop: RelyingParty, page: Page, browser: Browser
) -> None:
    ana = gate.newcomer()
    ask(page, shop, ana.email)
    elsewhere = browser.new_context()
    phone = elsewhere.new_page()
    problems = Problems().watch(phone)
    phone.goto(link_for(gate, ana))
    headed(phone, "Go back to where you started")
    shown = phone.locator("#code").inner_text().replace(" ", "")
    assert shown == code(gate.outbox.latest(to=ana.email))
    assert not [one for one in elsewhere.cookies() if "session" in one["name"]]
    page.reload()
    headed(page, "Check your email")
    page.locator("[name=code]").fill(shown)
    press(page, "Continue")
    assert gate.finish(page, shop).claims["amr"] == ["email"]
    phone.reload()
    headed(phone, "This link no longer works")
    assert problems == []
    elsewhere.close()


def test_signing_in_elsewhere_instead(
    gate: World, shop: RelyingParty, page: Page, browser: Browser
) -> None:
    ana = gate.newcomer()
    ask(page, shop, ana.email)
    elsewhere = browser.new_context()
    phone = elsewhere.new_page()
    phone.goto(link_for(gate, ana))
    press(phone, "Sign in here instead")
    phone.wait_for_url(f"{gate.url}/me")
    page.reload()
    headed(page, "Check your email")
    elsewhere.close()


def test_i_did_not_ask_for_this(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    ask(page, shop, ana.email)
    link = link_for(gate, ana)
    page.goto(link)
    press(page, "I didn’t ask for this")
    headed(page, "Thank you. The link no longer works")
    page.goto(link)
    headed(page, "This link no longer works")


def test_without_a_script(gate: World, shop: RelyingParty, browser: Browser) -> None:
    ana = gate.newcomer()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    ask(page, shop, ana.email)
    page.locator("[name=code]").fill(code(gate.outbox.latest(to=ana.email, seconds=15)))
    press(page, "Continue")
    assert gate.finish(page, shop).claims["amr"] == ["email"]
    context.close()
