"""Passkeys in every role a sign-in has for them, with an authenticator that Chromium emulates."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sign_in.world import Keyring, World, enter, headed, main, press, steady
from tests.helpers.relying_party import RelyingParty

CANCEL = """() => {
  navigator.credentials.get = async () => { throw new DOMException("", "NotAllowedError"); };
}"""
NOT_USED = "No passkey was used. You may have cancelled, or there may be none for Gatehouse"


@pytest.fixture
def shop(gate: World) -> RelyingParty:
    return gate.shop()


def test_nothing_typed_by_the_button(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    key = Keyring(page, automatic_presence=False).hold(gate.house.passkey(ana))
    page.goto(shop.authorization_url())
    key.touch(page)
    press(page, "Sign in with a passkey")
    tokens = gate.finish(page, shop)
    assert tokens.claims["sub"]
    assert tokens.claims["acr"] == "phr"
    assert {"pop", "mfa"} <= set(tokens.claims["amr"])


def test_autofill_needs_no_click(gate: World, shop: RelyingParty, page: Page) -> None:
    Keyring(page).hold(gate.house.passkey(gate.newcomer()))
    page.goto(shop.authorization_url())
    assert gate.finish(page, shop).claims["acr"] == "phr"


def test_address_first_then_the_passkey(two_pages: World, page: Page) -> None:
    ana, shop = two_pages.newcomer(), two_pages.shop()
    key = Keyring(page, automatic_presence=False).hold(two_pages.house.passkey(ana))
    page.goto(shop.authorization_url())
    page.locator("[name=username]").fill(ana.email)
    press(page, "Continue")
    expect(main(page)).to_contain_text(ana.email)
    key.touch(page)
    press(page, "Sign in with a passkey")
    assert two_pages.finish(page, shop).claims["acr"] == "phr"


def test_an_unknown_address_is_asked_alike(two_pages: World, page: Page) -> None:
    shop = two_pages.shop()
    known = two_pages.newcomer().email
    seen = []
    for address in (known, f"{known[0]}nother@example.com"):  # the same letter stands beside both
        page.goto(shop.authorization_url())
        page.locator("[name=username]").fill(address)
        press(page, "Continue")
        headed(page, "Enter your password")
        expect(main(page)).to_contain_text(address)
        seen.append(main(page).inner_text().replace(address, ""))
    assert seen[0] == seen[1]


def test_as_a_second_step_with_the_app_as_fallback(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    ana = gate.newcomer()
    code = gate.totp(ana)
    gate.house.passkey(ana)
    Keyring(page)  # which holds nothing
    page.goto(shop.authorization_url())
    enter(page, ana)
    headed(page, "Use your passkey")
    press(page, "Continue with a passkey")
    expect(page.get_by_role("status").filter(has_text=NOT_USED)).to_be_visible()
    page.get_by_role("link", name="Use a code from your authenticator app").click()
    page.locator("[name=otp]").fill(code())
    press(page, "Continue")
    assert gate.finish(page, shop).claims["acr"] == "urn:idp:acr:mfa"


def test_as_a_second_step(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    gate.totp(ana)
    soft = gate.house.passkey(ana)
    page.goto(shop.authorization_url())
    enter(page, ana)
    headed(page, "Use your passkey")
    Keyring(page).hold(soft)
    press(page, "Continue with a passkey")
    tokens = gate.finish(page, shop)
    assert {"pwd", "pop", "mfa"} <= set(tokens.claims["amr"])


def test_after_another_way_was_chosen(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    gate.totp(ana)
    soft = gate.house.passkey(ana)
    page.goto(shop.authorization_url())
    enter(page, ana)
    page.get_by_role("link", name="Use a code from your authenticator app").click()
    headed(page, "Enter your code")
    Keyring(page).hold(soft)
    press(page, "Use a passkey")
    assert gate.finish(page, shop).claims["acr"] == "phr"


def test_required_verification_refused_by_the_device(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    ana = gate.newcomer()
    key = Keyring(page, automatic_presence=False).hold(gate.house.passkey(ana))
    page.goto(shop.authorization_url(acr_values="phr", scope="openid"))
    key.set_user_verified(False)
    key.touch(page)
    press(page, "Sign in with a passkey")
    expect(page.get_by_role("status").filter(has_text=NOT_USED)).to_be_visible()
    key.set_user_verified(True)
    press(page, "Sign in with a passkey")
    assert gate.finish(page, shop).claims["acr"] == "phr"


def test_cancelled_or_none_there(gate: World, shop: RelyingParty, page: Page) -> None:
    Keyring(page)
    page.goto(shop.authorization_url())
    press(page, "Sign in with a passkey")
    expect(page.get_by_role("status").filter(has_text=NOT_USED)).to_be_visible()
    expect(page.get_by_role("button", name="Use a phone or security key")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()
    enter(page, gate.newcomer())
    assert gate.finish(page, shop).claims["amr"] == ["pwd"]


def test_a_phone_or_security_key_after_none_was_here(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    soft = gate.house.passkey(gate.newcomer())
    Keyring(page)
    page.goto(shop.authorization_url())
    press(page, "Sign in with a passkey")
    elsewhere = page.get_by_role("button", name="Use a phone or security key")
    expect(elsewhere).to_be_visible()
    Keyring(page, transport="usb").hold(soft)
    elsewhere.click()
    assert gate.finish(page, shop).claims["acr"] == "phr"


def test_cancelling_leaves_the_page_as_it_was(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    Keyring(page, automatic_presence=False).hold(gate.house.passkey(ana))
    page.goto(shop.authorization_url())
    page.evaluate(CANCEL)
    page.locator("[name=username]").fill(ana.email)
    press(page, "Sign in with a passkey")
    expect(page.get_by_role("status").filter(has_text=NOT_USED)).to_be_visible()
    expect(page.locator("[name=username]")).to_have_value(ana.email)
    page.evaluate(CANCEL.replace("NotAllowedError", "SecurityError"))
    press(page, "Sign in with a passkey")
    told = "Passkeys are not set up for this address. Tell your administrator (ref "
    expect(page.get_by_role("alert")).to_contain_text(told)
    expect(page.locator("[name=username]")).to_have_value(ana.email)


def test_a_forgotten_passkey_is_signalled_to_its_keeper(
    gate: World, shop: RelyingParty, page: Page
) -> None:
    soft = gate.house.passkey(gate.newcomer())
    for credential in soft.credentials.values():
        credential.id = bytes(reversed(credential.id))
    key = Keyring(page, automatic_presence=False).hold(soft)
    page.goto(shop.authorization_url())
    key.touch(page)
    press(page, "Sign in with a passkey")
    expect(page.get_by_role("alert")).to_contain_text("no longer linked to an account")
    expect(page.locator("[name=password]")).to_be_visible()
    steady(lambda: key.credentials() == [])


def test_the_question_answered_with_a_passkey(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    key = Keyring(page, automatic_presence=False)
    page.goto(shop.authorization_url())
    enter(page, ana, remember=True)
    headed(page, "Sign in faster with your face, fingerprint or PIN")
    key.touch(page)
    press(page, "Add a passkey")
    headed(page, "Save your recovery codes")
    page.get_by_label("I’ve saved these codes").check()
    press(page, "Continue")
    assert gate.finish(page, shop).claims["sub"]
    assert len(key.credentials()) == 1
    page.context.clear_cookies()
    page.goto(shop.authorization_url())
    assert gate.finish(page, shop).claims["acr"] == "phr"


def test_a_browser_that_knows_no_passkeys(gate: World, shop: RelyingParty, page: Page) -> None:
    ana = gate.newcomer()
    code = gate.totp(ana)
    gate.house.passkey(ana)
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto(shop.authorization_url())
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    expect(page.locator("[data-off]")).to_have_css("display", "none")  # not even a gap
    enter(page, ana)
    expect(main(page)).to_contain_text("This browser cannot use passkeys. Choose another way.")
    expect(page.get_by_text("Your device will ask for")).to_be_hidden()
    page.get_by_role("link", name="Use a code from your authenticator app").click()
    headed(page, "Enter your code")
    expect(page.get_by_role("heading", name="Other ways")).to_be_hidden()
    page.locator("[name=otp]").fill(code())
    press(page, "Continue")
    assert gate.finish(page, shop).claims["acr"] == "urn:idp:acr:mfa"


def test_where_a_passkey_was_all_there_was_beside_no_or_is_left(
    two_pages: World, page: Page
) -> None:
    shop = two_pages.shop()
    page.goto(shop.authorization_url())
    expect(page.get_by_text("or", exact=True)).to_be_visible()
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto(shop.authorization_url())
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    expect(page.get_by_text("or", exact=True)).to_be_hidden()
