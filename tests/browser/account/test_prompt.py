"""The question after a sign-in with a password, in a real browser."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.axe import violations_in_both_schemes
from tests.helpers.chromium import VirtualAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.interop.site import site

Look = Callable[[str], None]
TITLE = "Sign in faster with your face, fingerprint or PIN"


@pytest.fixture(scope="module")
def callback() -> Iterator[str]:
    """An application's page that says so."""
    arrived = b"<title>Shop</title><h1>You are in the shop</h1>"
    with site({"/callback": ("text/html", arrived)}) as port:
        yield f"http://127.0.0.1:{port}/callback"


@pytest.fixture
def shop(house: House, callback: str) -> RelyingParty:
    return house.client(consent="never", application_type="native", redirect_uris=[callback])


def sign_in(page: Page, shop: RelyingParty, person: Person, *, keep: bool = True) -> None:
    page.goto(shop.authorization_url())
    page.get_by_label("Email address").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    if keep:
        page.get_by_label("Keep me signed in on this device").check()
    page.get_by_role("button", name="Sign in", exact=True).click()


def forget(page: Page) -> None:
    """Another day, another browser."""
    page.context.clear_cookies()


def test_a_passkey_is_made_and_the_sign_in_goes_on(
    page: Page,
    authenticator: VirtualAuthenticator,
    shop: RelyingParty,
    alice: Person,
    look: Look,
) -> None:
    sign_in(page, shop, alice)
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    page.wait_for_timeout(2000)  # past the time that an attempt along the way is given
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    look("prompt")
    assert violations_in_both_schemes(page) == []
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Save your recovery codes")).to_be_visible()
    look("prompt-codes")
    assert violations_in_both_schemes(page) == []
    page.get_by_label("I’ve saved these codes").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="You are in the shop")).to_be_visible()
    assert shop.finish(page.url).claims["amr"] == ["pwd", "pop", "user", "swk", "mfa"]
    assert len(authenticator.credentials()) == 1


def test_not_now_and_then_not_for_ninety_days(
    page: Page, house: House, authenticator: VirtualAuthenticator, shop: RelyingParty, alice: Person
) -> None:
    sign_in(page, shop, alice)
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_role("heading", name="You are in the shop")).to_be_visible()
    for days, asked in ((89, False), (2, True)):
        forget(page)
        house.clock.advance(days=days)
        sign_in(page, shop, alice)
        wanted = TITLE if asked else "You are in the shop"
        expect(page.get_by_role("heading", name=wanted)).to_be_visible()


def test_not_on_a_shared_computer(
    page: Page, authenticator: VirtualAuthenticator, shop: RelyingParty, alice: Person
) -> None:
    sign_in(page, shop, alice, keep=False)
    expect(page.get_by_role("heading", name="You are in the shop")).to_be_visible()


def test_cancelled_it_can_still_be_left(
    page: Page, shop: RelyingParty, alice: Person, look: Look
) -> None:
    authenticator = VirtualAuthenticator(page, user_verified=False)
    sign_in(page, shop, alice)
    page.evaluate(
        """() => {
          navigator.credentials.create = () =>
            Promise.reject(new DOMException("cancelled", "NotAllowedError"));
        }"""
    )
    page.get_by_role("button", name="Add a passkey").click()
    status = page.locator("[data-passkey-status]")
    expect(status).to_have_text("No passkey was added. Nothing changed.")
    look("prompt-cancelled")
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_role("heading", name="You are in the shop")).to_be_visible()
    assert authenticator.credentials() == []


def test_an_attempt_along_the_way_that_succeeds_goes_on_by_itself(
    page: Page, authenticator: VirtualAuthenticator, shop: RelyingParty, alice: Person
) -> None:
    """Conditional create, which Chromium's authenticators leave pending for ever, played here."""
    page.add_init_script(
        """
        if (window.PublicKeyCredential) {
          const create = navigator.credentials.create.bind(navigator.credentials);
          PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: true });
          navigator.credentials.create = ({ publicKey, mediation, signal }) =>
            mediation === "conditional" ? create({ publicKey, signal }) : Promise.reject();
        }
        """
    )
    sign_in(page, shop, alice)
    expect(page.get_by_role("heading", name="Save your recovery codes")).to_be_visible()
    page.get_by_label("I’ve saved these codes").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="You are in the shop")).to_be_visible()


def test_one_that_never_answers_blocks_nothing(
    page: Page, authenticator: VirtualAuthenticator, shop: RelyingParty, alice: Person
) -> None:
    page.add_init_script(
        """
        if (window.PublicKeyCredential) {
          PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: true });
          navigator.credentials.create = () => new Promise(() => {});
        }
        """
    )
    sign_in(page, shop, alice)
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_role("heading", name="You are in the shop")).to_be_visible()
