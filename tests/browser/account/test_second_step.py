"""The authenticator app and the recovery codes, as a person with a browser meets them."""

from collections.abc import Callable
from pathlib import Path

import pyotp
from playwright.sync_api import Browser, Page, expect

from tests.helpers.house import House, Person

Enter = Callable[[str], None]
Look = Callable[[str], None]


def set_up_app(page: Page, house: House) -> str:
    """Type the code of the app that the page shows; returns its seed."""
    page.get_by_text("I can’t scan it").click()
    seed = page.locator("#totp-secret").inner_text().replace(" ", "")
    page.get_by_label("6-digit code").fill(pyotp.TOTP(seed).at(house.clock()))
    page.get_by_role("button", name="Turn on").click()
    page.wait_for_url("**/recovery_code")
    return seed


def test_an_app_is_set_up_by_keyboard(page: Page, house: House, enter: Enter, look: Look) -> None:
    enter("/me/security/totp")
    square = page.get_by_role("img", name="QR code for your authenticator app.")
    expect(square).to_be_visible()
    assert square.evaluate("image => image.naturalWidth") > 0
    look("totp-setup")
    page.get_by_label("6-digit code").fill("000 000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page).to_have_title("Error: Set up an authenticator app – Gatehouse")
    set_up_app(page, house)


def test_the_codes_are_copied_downloaded_and_saved(
    page: Page, house: House, enter: Enter, look: Look, tmp_path: Path
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    enter("/me/security/totp")
    set_up_app(page, house)
    codes = page.locator("#codes code").all_inner_texts()
    assert len(codes) == 10
    look("codes")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.split() == codes
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "codes.txt")
    assert download.value.suggested_filename == "recovery-codes.txt"
    assert (tmp_path / "codes.txt").read_text().split() == codes
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Save the codes first")
    assert page.locator("#codes code").all_inner_texts() == codes
    look("codes-error")
    page.get_by_label("I’ve saved these codes").check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/me/security")
    expect(page.get_by_text("10 of 10 left")).to_be_visible()


def test_a_printed_page_says_whose_codes_they_are(page: Page, house: House, enter: Enter) -> None:
    enter("/me/security/totp")
    set_up_app(page, house)
    page.emulate_media(media="print")
    expect(page.get_by_text("Gatehouse · alice@example.com")).to_be_visible()
    expect(page.locator("#codes code").first).to_be_visible()
    for unprinted in ("Sign out", "Copy", "Continue"):
        expect(page.get_by_role("button", name=unprinted)).to_be_hidden()
    expect(page.get_by_text("Keep them in a password manager")).to_be_hidden()


def test_turning_it_off_shows_what_it_takes(
    page: Page, house: House, enter: Enter, look: Look
) -> None:
    enter("/me/security/totp")
    set_up_app(page, house)
    page.goto(f"{house.settings.issuer}/me/security/totp")
    page.get_by_text("Turn it off").first.click()
    page.get_by_label("Your password from now on").fill("too short")
    page.get_by_role("button", name="Turn it off").click()
    expect(page.get_by_role("alert")).to_contain_text("Use at least 15 characters")
    expect(page.get_by_label("Your password from now on")).to_be_visible()
    look("totp-off-error")
    page.get_by_label("Your password from now on").fill("gravel owl beside a lake")
    page.get_by_role("button", name="Turn it off").click()
    expect(page.get_by_role("status").first).to_contain_text("Your authenticator app was turned")


def test_everything_but_passkeys_works_without_javascript(
    house: House, alice: Person, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{house.settings.issuer}/me/security/totp")
    page.get_by_label("Email address").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(alice.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/me/security/totp")
    set_up_app(page, house)
    page.get_by_label("I’ve saved these codes").check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/me/security")
    page.goto(f"{house.settings.issuer}/me/passkeys")
    assert "Passkeys need JavaScript." in page.content()
    expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()
    context.close()


def test_a_code_stands_in_for_a_passkey_that_is_lost(
    page: Page, house: House, alice: Person, look: Look
) -> None:
    seed, codes = house.totp(alice), house.recovery_codes(alice)
    house.passkey(alice)
    house.clock.advance(minutes=1)
    page.goto(f"{house.settings.issuer}/me")
    page.get_by_label("Email address").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(alice.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Use a code from your authenticator app").click()
    page.get_by_label("6-digit code").fill(pyotp.TOTP(seed).at(house.clock()))
    page.keyboard.press("Enter")
    page.wait_for_url("**/me")
    page.goto(f"{house.settings.issuer}/me/passkeys")
    expect(page.get_by_text("This needs a passkey or a recovery code.")).to_be_visible()
    look("lost-passkey")
    page.get_by_role("link", name="Use a recovery code").click()
    look("lost-passkey-code")
    page.get_by_label("Recovery code").fill(codes[0])
    page.keyboard.press("Enter")
    page.wait_for_url("**/me/passkeys")
    look("lost-passkey-in")
