"""What an administrator comes for, walked in a real browser: nothing fails on the way."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.helpers.axe import violations_in_both_schemes
from tests.helpers.chromium import screenshot
from tests.helpers.clock import FakeClock
from tests.helpers.foreign_people import EXPORTS
from tests.helpers.house import PASSWORD, House
from tests.helpers.open_house import open_house
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import sign_in
from tests.web.admin.people import signed_in_as
from tests.web.admin.test_logo import PIXEL
from tests.web.walking import event_names

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


@pytest.fixture
def at(page: Page, house: House) -> Callable[[str], None]:
    """Go somewhere as an administrator who has just used a passkey."""
    for cookie in signed_in_as(house, "administrator").cookies.jar:
        page.context.add_cookies(
            [{"name": cookie.name, "value": str(cookie.value), "url": house.settings.issuer}]
        )

    def go(path: str) -> None:
        page.goto(f"{house.settings.issuer}{path}")

    return go


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()


def clean(page: Page) -> None:
    """Nothing for axe in light and dark, and no wider than a phone."""
    assert violations_in_both_schemes(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 800})


def test_from_a_reference_to_why_it_failed_in_three_clicks(
    page: Page, house: House, at: Callable[[str], None], look: Look
) -> None:
    shop = house.client(client_name="Shop")
    page.goto(
        shop.authorization_url(code_challenge_method="plain", redirect_uri="https://x.example/")
    )
    reference = page.locator(".ref code").inner_text()
    at("/admin")
    page.locator("header nav").get_by_role("link", name="Applications").click()
    follow(page, "Look up a reference")
    page.get_by_label("Reference").fill(f" {reference.lower()} ")
    press(page, "Look it up")
    expect(page.get_by_text("redirect_uri is not one that this client registered")).to_be_visible()
    look("why")
    clean(page)


def test_a_secret_is_rotated_and_no_sign_in_fails(
    page: Page, house: House, at: Callable[[str], None], look: Look
) -> None:
    shop = house.client(client_name="Shop", consent="never")
    ann, browser = house.person("ann@example.com"), house.browser()

    def signs_in(as_it_is_now: RelyingParty) -> None:
        url = as_it_is_now.authorization_url()
        back = sign_in(browser, url, username=ann.email, password=ann.password)
        assert as_it_is_now.finish(back).claims["sub"] == ann.id

    signs_in(shop)
    at(f"/admin/clients/{shop.client_id}/secrets")
    press(page, "Rotate the secret")
    fresh = page.locator("#fresh-secret").inner_text()
    look("rotated")
    clean(page)
    signs_in(shop)
    renewed = replace(shop, client_secret=fresh)
    signs_in(renewed)
    press(page, "I’ve stored it")
    follow(page, "Secrets")
    old = page.get_by_role("row").filter(has_text=str(shop.client_secret)[:6])
    old.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The secret was removed.")).to_be_visible()
    signs_in(renewed)
    refused = [name for name in event_names(house, client_id=shop.client_id) if "refused" in name]
    assert refused == []


def test_people_are_imported_and_one_signs_in_with_an_old_password(
    page: Page, house: House, at: Callable[[str], None], look: Look
) -> None:
    export = (
        EXPORTS["Keycloak, PBKDF2"] if "Keycloak, PBKDF2" in EXPORTS else EXPORTS["CSV, Argon2i"]
    )
    at("/admin/people/import")
    page.get_by_label("Or the text itself").fill(export.content.decode())
    press(page, "Look at it first")
    look("to-import")
    press(page, "Make these accounts")
    look("imported")
    page.context.clear_cookies()
    page.goto(f"{house.settings.issuer}/me")
    page.get_by_label("Email address").fill(export.email)
    page.get_by_label("Password", exact=True).fill(export.password)
    press(page, "Sign in")
    page.wait_for_url("**/me**")
    expect(page.get_by_text(export.email).first).to_be_visible()


def test_a_form_that_was_overtaken_shows_both(
    page: Page, house: House, at: Callable[[str], None], look: Look
) -> None:
    shop = house.client(client_name="Shop")
    at(f"/admin/clients/{shop.client_id}/details")
    page.get_by_label("Name", exact=True).fill("My shop")
    house.do(
        lambda idp: idp.client_registry.update(
            shop.client_id,
            {"client_name": "Their shop", "redirect_uris": [shop.redirect_uri]},
            house.context,
        )
    )
    press(page, "Save")
    expect(page.get_by_label("Name", exact=True)).to_have_value("My shop")
    expect(page.locator("#client_name-error")).to_contain_text("It is “Their shop” now.")
    look("overtaken")
    clean(page)
    press(page, "Save")
    expect(page.get_by_role("heading", level=1)).to_have_text("My shop")


def test_a_logo_is_chosen_and_shown(
    page: Page, house: House, at: Callable[[str], None], look: Look
) -> None:
    at("/admin/settings")
    picture: FilePayload = {"name": "logo.png", "mimeType": "image/png", "buffer": PIXEL}
    page.get_by_label("Upload a logo").set_input_files(picture)
    press(page, "Save")
    shown = page.locator("header .brand img")
    assert shown.evaluate("img => img.decode().then(() => img.naturalWidth)") == 1
    look("logo")
    clean(page)


def test_a_sign_in_link_is_made_handed_over_and_used(
    page: Page, house: House, at: Callable[[str], None], look: Look
) -> None:
    bob = house.person("bob@example.com", PASSWORD, name="Bob Baker")
    at(f"/admin/people/{bob.id}")
    press(page, "Show a sign-in link")
    link = page.locator("#link").inner_text()
    look("handed-link")
    clean(page)
    page.context.clear_cookies()
    page.goto(link)
    look("handed")
    clean(page)
    with page.expect_navigation():
        press(page, "Sign in")
    page.goto(f"{house.settings.issuer}/me")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bob")
