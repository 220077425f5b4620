"""The one-screen sign-in in a browser: errors, keys, going back, two tabs, and no script at all."""

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.sign_in.world import World, enter, headed, main, press
from tests.helpers.chromium import Problems
from tests.helpers.house import PASSWORD
from tests.helpers.plain import PLAIN
from tests.helpers.relying_party import RelyingParty


@pytest.fixture
def shop(gate: World) -> RelyingParty:
    return gate.shop()


def summary(page: Page) -> Locator:
    return page.locator("[data-summary]")


def test_a_wrong_password_keeps_the_address_and_says_so_once(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    ana = gate.newcomer()
    page.goto(shop.authorization_url())
    enter(page, ana, "not the password", remember=True)
    expect(summary(page)).to_be_focused()
    expect(summary(page)).to_contain_text("Email or password is not correct.")
    assert page.title().startswith("Error: ")
    expect(page.locator("[name=username]")).to_have_value(ana.email)
    expect(page.locator("[name=password]")).to_have_value("")
    expect(page.get_by_label("Keep me signed in on this device")).to_be_checked()


def test_an_empty_form_names_what_is_missing(shop: RelyingParty, page: Page) -> None:
    page.goto(shop.authorization_url())
    press(page, "Sign in")
    expect(summary(page)).to_be_focused()
    expect(summary(page)).to_contain_text("Enter your")
    summary(page).get_by_role("link").first.click()
    expect(page.locator("[name=username]:focus, [name=password]:focus")).to_be_visible()


def test_enter_signs_in_and_sends_no_mail(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    page.goto(shop.authorization_url())
    page.locator("[name=username]").fill(ana.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    assert gate.finish(page, shop).claims["amr"] == ["pwd"]
    assert gate.outbox.to(ana.email) == []


def test_the_address_is_focused_and_a_hint_moves_on_to_the_password(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    page.goto(shop.authorization_url())
    expect(page.locator("[name=username]")).to_be_focused()
    page.goto(shop.authorization_url(login_hint="ana@example.com"))
    expect(page.locator("[name=username]")).to_have_value("ana@example.com")
    expect(page.locator("[name=password]")).to_be_focused()


def test_a_password_can_be_looked_at(shop: RelyingParty, page: Page) -> None:
    page.goto(shop.authorization_url())
    page.locator("[name=password]").fill("secret")
    press(page, "Show password")
    expect(page.locator("[name=password]")).to_have_attribute("type", "text")
    press(page, "Hide password")
    expect(page.locator("[name=password]")).to_have_attribute("type", "password")


def test_too_many_tries_say_how_long_and_what_else(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    ana = gate.newcomer()
    page.goto(shop.authorization_url())
    guess(gate, page, ana.email, 9)
    enter(page, ana, "wrong again")
    expect(summary(page)).to_contain_text("Email or password is not correct.")
    enter(page, ana)
    expect(summary(page)).to_contain_text("Too many tries. Wait 15 minutes, or email yourself")
    press(page, "Email me a sign-in link")
    headed(page, "Check your email")


def guess(gate: World, page: Page, email: str, times: int) -> None:
    """The page's own form, sent as fast as can be."""
    cookies = {one["name"]: one["value"] for one in page.context.cookies(gate.url)}
    token = page.locator("[name=csrf_token]").first.input_value()
    url = f"{page.url.removesuffix('/password')}/password"
    with httpx.Client(cookies=cookies, trust_env=False, verify=PLAIN) as client:
        for _ in range(times):
            sent = {"csrf_token": token, "username": email, "password": "wrong"}
            assert client.post(url, data=sent).status_code == 422


def test_kept_signed_in_only_when_ticked(gate: World, shop: RelyingParty, browser: Browser) -> None:
    ana = gate.newcomer()
    for remember in (False, True):
        context = browser.new_context()
        page = context.new_page()
        page.goto(shop.authorization_url())
        enter(page, ana, remember=remember)
        if remember:
            press(page, "Not now")
        gate.finish(page, shop)
        kept = [one for one in context.cookies(gate.url) if "session" in one["name"]]
        assert [one["expires"] > 0 for one in kept] == [remember]
        context.close()


def test_the_passkey_question_is_asked_once(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    page.goto(shop.authorization_url())
    enter(page, ana, remember=True)
    headed(page, "Sign in faster with your face, fingerprint or PIN")
    press(page, "Not now")
    gate.finish(page, shop)
    page.context.clear_cookies()
    page.goto(shop.authorization_url())
    enter(page, ana, remember=True)
    gate.finish(page, shop)


def test_back_after_the_end_leads_on(gate: World, shop: RelyingParty, page: Page) -> None:
    page.goto(shop.authorization_url())
    enter(page, gate.newcomer())
    gate.returned(page)
    page.go_back()
    headed(page, "You’re already signed in")
    page.get_by_role("link", name="Continue to Lampwright").click()
    assert "code" in gate.returned(page)


def test_two_tabs_one_sign_in(gate: World, shop: RelyingParty, page: Page) -> None:
    account = gate.shop("Asks", consent="always")
    ana = gate.newcomer()
    page.goto(shop.authorization_url())
    other = page.context.new_page()
    other.goto(account.authorization_url())
    enter(other, ana)
    headed(other, "Share your details with Asks?")
    notice = page.get_by_role("status").filter(has_text="You’re signed in.")
    expect(notice).to_be_visible()
    notice.get_by_role("link", name="Continue").click()
    assert gate.finish(page, shop).claims["sub"]
    press(other, "Allow")
    assert gate.finish(other, account).claims["sub"]


@pytest.mark.parametrize("waits_at", ["the app", "/me"])
def test_a_tab_learns_of_a_sign_in_that_ended_at_the_app(
    gate: World, shop: RelyingParty, page: Page, waits_at: str
) -> None:
    page.goto(f"{gate.url}/me" if waits_at == "/me" else shop.authorization_url())
    notice = page.get_by_role("status").filter(has_text="You’re signed in.")
    other = page.context.new_page()
    other.goto(shop.authorization_url())
    enter(other, gate.newcomer(), "wrong")
    expect(other.locator("[data-summary]")).to_be_visible()
    expect(notice).to_be_hidden()
    other.locator("[name=password]").fill(PASSWORD)
    press(other, "Sign in")
    assert gate.finish(other, shop).claims["sub"]
    expect(notice).to_be_visible()
    notice.get_by_role("link", name="Continue").click()
    if waits_at == "/me":
        page.wait_for_url("**/me")
    else:
        assert gate.finish(page, shop).claims["sub"]


def test_a_tab_that_nobody_tells_learns_of_it_when_it_is_looked_at_again(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    page.add_init_script("delete window.BroadcastChannel")
    page.goto(shop.authorization_url())
    other = page.context.new_page()
    other.goto(shop.authorization_url())
    enter(other, gate.newcomer())
    assert gate.finish(other, shop).claims["sub"]
    notice = page.get_by_role("status").filter(has_text="You’re signed in.")
    expect(notice).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(notice).to_be_visible()
    notice.get_by_role("link", name="Continue").click()
    assert gate.finish(page, shop).claims["sub"]


def test_a_double_click_signs_in_once(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    page.goto(shop.authorization_url())
    page.locator("[name=username]").fill(ana.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).dblclick(no_wait_after=True)
    assert gate.finish(page, shop).claims["amr"] == ["pwd"]


def test_consent_leaves_for_the_app_either_way(
    gate: World, page: Page, page_problems: Problems
) -> None:
    shop = gate.shop("Asks", consent="always")
    page.goto(shop.authorization_url(scope="openid profile email"))
    enter(page, gate.newcomer())
    headed(page, "Share your details with Asks?")
    press(page, "Cancel")
    assert gate.returned(page)["error"] == "access_denied"
    page.goto(shop.authorization_url(scope="openid profile email"))
    press(page, "Allow")
    assert gate.finish(page, shop).claims["sub"]
    assert page_problems == []


def test_cancelling_the_sign_in_tells_the_app(gate: World, shop: RelyingParty, page: Page) -> None:
    page.goto(shop.authorization_url())
    press(page, "Cancel and return to Lampwright")
    assert gate.returned(page)["error"] == "access_denied"
    page.go_back()
    headed(page, "This sign-in is over")


def test_choosing_an_account(gate: World, shop: RelyingParty, page: Page) -> None:
    ana, ben = gate.newcomer(), gate.newcomer(name="Ben Osei")
    page.goto(shop.authorization_url())
    enter(page, ana)
    first = gate.finish(page, shop).claims["sub"]
    page.goto(shop.authorization_url(prompt="select_account"))
    headed(page, "Which account?")
    page.get_by_role("button", name="Ana Lima").click()
    assert gate.finish(page, shop).claims["sub"] == first
    page.goto(shop.authorization_url(prompt="select_account"))
    press(page, "Use another account")
    enter(page, ben)
    assert gate.finish(page, shop).claims["sub"] != first


def test_another_person_is_wanted_than_is_here(gate: World, shop: RelyingParty, page: Page) -> None:
    ana, ben = gate.newcomer(), gate.newcomer(name="Ben Osei")
    page.goto(shop.authorization_url())
    enter(page, ana)
    gate.returned(page)
    page.goto(shop.authorization_url(login_hint=ben.email))
    headed(page, f"You are signed in as {ana.email}")
    press(page, f"Continue as {ben.email}")
    expect(page.locator("[name=username]")).to_have_value(ben.email)
    page.locator("[name=password]").fill(PASSWORD)
    press(page, "Sign in")
    assert gate.finish(page, shop).claims["sub"]


def test_confirming_it_is_you(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    code = gate.totp(ana)
    page.goto(shop.authorization_url())
    enter(page, ana)
    page.locator("[name=otp]").fill(code())
    press(page, "Continue")
    gate.returned(page)
    page.goto(shop.authorization_url(max_age=0))
    headed(page, "Confirm it’s you")
    expect(main(page)).to_contain_text("You signed in just now")
    expect(main(page)).to_contain_text(ana.email)
    press(page, "Cancel and return to Lampwright")
    assert gate.returned(page)["error"] == "access_denied"


def test_only_keys_with_the_focus_always_in_sight(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    ana = gate.newcomer()
    code = gate.totp(ana)
    page.goto(shop.authorization_url())
    expect(page.locator("[name=username]")).to_be_focused()
    page.keyboard.type(ana.email)
    tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    tab_to(page, "Sign in")
    page.keyboard.press("Enter")
    headed(page, "Enter your code")
    expect(page.locator("[name=otp]")).to_be_focused()
    page.keyboard.type(code())
    page.keyboard.press("Enter")
    assert gate.finish(page, shop).claims["acr"] == "urn:idp:acr:mfa"


FOCUSED = """() => {
  const { activeElement: at } = document, style = getComputedStyle(at);
  return { name: at.name || at.innerText.trim(), seen: style.outlineStyle !== "none"
    && parseFloat(style.outlineWidth) >= 2 && at.getBoundingClientRect().width > 0 };
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of that name has the focus, which shows on every stop."""
    for _ in range(12):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        assert found["seen"], found
        if found["name"] == name:
            return
    raise AssertionError(f"Tab never came to {name}")


def test_or_stands_above_nothing_without_a_script(two_pages: World, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(two_pages.shop().authorization_url())
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    expect(page.get_by_text("or", exact=True)).to_be_hidden()
    expect(page.locator(".options")).to_be_hidden()
    context.close()


def test_everything_but_passkeys_without_a_script(
    gate: World, shop: RelyingParty, browser: Browser
) -> None:
    ana = gate.newcomer()
    code = gate.totp(ana)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(shop.authorization_url())
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    expect(page.get_by_role("button", name="Show password")).to_be_hidden()
    enter(page, ana, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("Email or password is not correct.")
    enter(page, ana)
    page.locator("[name=otp]").fill(code())
    press(page, "Continue")
    assert gate.finish(page, shop).claims["acr"] == "urn:idp:acr:mfa"
    page.goto(shop.authorization_url(prompt="select_account"))
    page.get_by_role("button", name="Ana Lima").click()
    gate.returned(page)
    asks = gate.shop("Asks", consent="always")
    page.goto(asks.authorization_url())
    press(page, "Allow")
    assert gate.finish(page, asks).claims["sub"]
    context.close()
