"""Passkeys on the account page: made, renamed and deleted, and the authenticator hears of it."""

from base64 import b64decode
from collections.abc import Callable

from playwright.sync_api import Page, expect

from idp.web.services import Services
from tests.helpers import base64url
from tests.helpers.chromium import VirtualAuthenticator
from tests.helpers.house import House, Person

Enter = Callable[[str], None]
Look = Callable[[str], None]


def ids(authenticator: VirtualAuthenticator) -> set[str]:
    """What it holds, as the provider writes ids."""
    return {base64url.encode(b64decode(held.credential_id)) for held in authenticator.credentials()}


def make_one(page: Page) -> None:
    page.get_by_role("button", name="Add a passkey").click()


def save_codes(page: Page) -> None:
    page.get_by_label("I’ve saved these codes").check()
    page.get_by_role("button", name="Continue").click()


def test_made_renamed_deleted_and_told_to_the_authenticator(
    page: Page,
    authenticator: VirtualAuthenticator,
    house: House,
    alice: Person,
    enter: Enter,
    look: Look,
) -> None:
    enter("/me/passkeys")
    make_one(page)
    page.wait_for_url("**/me/security/recovery_code")
    expect(page.get_by_role("status").first).to_have_text("A passkey was added.")
    save_codes(page)
    page.goto(f"{house.settings.issuer}/me/passkeys")
    expect(page.get_by_text("Synced", exact=True)).to_be_visible()
    expect(page.get_by_text("Used for this session")).to_be_hidden()
    look("passkeys-one")

    page.get_by_label("Rename Passkey").click()
    page.get_by_label("Name", exact=True).fill("Kitchen laptop")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("heading", name="Kitchen laptop")).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text("Renamed: Kitchen laptop.")

    assert len(ids(authenticator)) == 1
    page.get_by_label("Delete Kitchen laptop").click()
    page.get_by_label("Your password from now on").fill(alice.password)
    look("passkeys-delete")
    page.get_by_role("button", name="Delete this passkey").click()
    expect(page.get_by_role("heading", name="No passkeys yet")).to_be_visible()
    page.wait_for_load_state()
    wait_for(page, lambda: ids(authenticator) == set())


def wait_for(page: Page, holds: Callable[[], bool]) -> None:
    for _ in range(50):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it never came to that")


def test_the_provider_learns_the_present_name_and_address(
    page: Page, authenticator: VirtualAuthenticator, house: House, alice: Person, enter: Enter
) -> None:
    enter("/me/passkeys")
    make_one(page)
    page.wait_for_url("**/me/security/recovery_code")
    house.do(lambda services: marry(services, house, alice))
    page.goto(f"{house.settings.issuer}/me/passkeys")
    wait_for(page, lambda: names(authenticator) == [(alice.email, "Alice Baker")])


def marry(services: Services, house: House, alice: Person) -> None:
    user = services.accounts.find(alice.id)
    assert user is not None
    services.accounts.update(user, {"name": "Alice Baker"}, house.context)


def names(authenticator: VirtualAuthenticator) -> list[tuple[str, str]]:
    found = authenticator._own("getCredentials")["credentials"]
    return [(one["userName"], one["userDisplayName"]) for one in found]


def test_a_second_one_on_the_same_device_is_calmly_refused(
    page: Page, authenticator: VirtualAuthenticator, house: House, enter: Enter, look: Look
) -> None:
    enter("/me/passkeys")
    make_one(page)
    page.wait_for_url("**/me/security/recovery_code")
    page.goto(f"{house.settings.issuer}/me/passkeys")
    make_one(page)
    status = page.locator("[data-passkey-status]")
    expect(status).to_have_text("This device already has your passkey. You are all set.")
    look("passkeys-exists")
    assert page.url.endswith("/me/passkeys")


def test_cancelled_nothing_changes_and_it_can_be_tried_again(
    page: Page, authenticator: VirtualAuthenticator, enter: Enter
) -> None:
    authenticator.set_user_verified(False)
    enter("/me/passkeys")
    page.evaluate(
        """() => {
          const create = navigator.credentials.create.bind(navigator.credentials);
          let first = true;
          navigator.credentials.create = (options) => {
            if (!first) return create(options);
            first = false;
            return Promise.reject(new DOMException("cancelled", "NotAllowedError"));
          };
        }"""
    )
    authenticator.set_user_verified(True)
    make_one(page)
    status = page.locator("[data-passkey-status]")
    expect(status).to_have_text("No passkey was added. Nothing changed.")
    make_one(page)
    page.wait_for_url("**/me/security/recovery_code")
