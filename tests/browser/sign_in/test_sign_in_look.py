"""Every page of a sign-in: nothing that axe objects to, light and dark, and nothing too wide."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.sign_in.test_sign_in_password import guess
from tests.browser.sign_in.world import Keyring, World, enter, headed, press, steady
from tests.helpers.axe import violations_in_both_schemes
from tests.helpers.house import PASSWORD
from tests.helpers.smtp import links

TOO_WIDE = "() => document.documentElement.scrollWidth - innerWidth"
TOO_LOW = """() => [...document.querySelectorAll('.link')]
  .filter((one) => one.offsetHeight && one.getBoundingClientRect().height < 44)
  .map((one) => one.textContent)"""
"""Whatever is pressed is 44 pixels high, also where it looks like a link."""
ORDER = {
    "type": "confirm_operation",
    "id": "order-4711",
    "title": "Pay for your order",
    "amount": {"value": "129.00", "currency": "EUR"},
    "payee": "ACME Lanterns",
    "fields": [{"label": "Order", "value": "4711"}],
    "message": "Thursday, by bicycle",
}
Journey = Callable[[World, Page], None]


def fair(page: Page, heading: str) -> None:
    """The page of this heading has nothing wrong with it."""
    headed(page, heading)
    assert violations_in_both_schemes(page, targets=True) == [], heading
    assert page.evaluate(TOO_WIDE) <= 0, f"{heading}: wider than the window"
    assert page.evaluate(TOO_LOW) == [], heading


def acr(value: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": [value]}}})


def first_page(gate: World, page: Page) -> None:
    ana, asks = gate.newcomer(), gate.shop("Asks", consent="always")
    Keyring(page)
    page.goto(asks.authorization_url(scope="openid profile email"))
    fair(page, "Sign in to Asks")
    press(page, "Sign in with a passkey")
    page.get_by_role("button", name="Use a phone or security key").wait_for()
    fair(page, "Sign in to Asks")
    enter(page, ana, "not the password")
    fair(page, "Sign in to Asks")
    guess(gate, page, ana.email, 9)
    enter(page, ana)
    fair(page, "Sign in to Asks")
    enter(page, gate.newcomer(), remember=True)
    fair(page, "Sign in faster with your face, fingerprint or PIN")
    press(page, "Not now")
    fair(page, "Share your details with Asks?")
    press(page, "Allow")
    gate.returned(page)
    page.go_back()
    fair(page, "You’re already signed in")
    page.goto(asks.authorization_url(prompt="select_account"))
    fair(page, "Which account?")
    page.goto(asks.authorization_url(login_hint="someone.with.a.long.address@mail.example.com"))
    page.get_by_role("button", name="Stay as").wait_for()
    fair(page, page.get_by_role("heading", level=1).inner_text())


def second_step(gate: World, page: Page) -> None:
    ana, shop = gate.newcomer(), gate.shop()
    gate.totp(ana)
    gate.house.passkey(ana)
    gate.house.recovery_codes(ana)
    Keyring(page)
    page.goto(shop.authorization_url())
    enter(page, ana)
    fair(page, "Use your passkey")
    press(page, "Continue with a passkey")
    page.get_by_role("button", name="Use a phone or security key").wait_for()
    fair(page, "Use your passkey")
    page.get_by_role("link", name="Use a code from your authenticator app").click()
    fair(page, "Enter your code")
    page.locator("[name=otp]").fill("12")
    press(page, "Continue")
    fair(page, "Enter your code")
    page.get_by_role("link", name="Use a recovery code").click()
    fair(page, "Use a recovery code")
    page.locator("[name=recovery_code]").fill("12")
    press(page, "Continue")
    fair(page, "Use a recovery code")


def step_up(gate: World, page: Page) -> None:
    ana, shop = gate.newcomer(), gate.shop()
    page.goto(shop.authorization_url())
    enter(page, ana)
    gate.returned(page)
    page.goto(shop.authorization_url(max_age=0))
    fair(page, "Confirm it’s you")
    press(page, "Continue")
    fair(page, "Confirm it’s you")
    Keyring(page)
    page.goto(shop.authorization_url(claims=acr("phr")))
    page.locator("[name=password]").fill(PASSWORD)
    press(page, "Continue")
    fair(page, "One thing to set up first")
    page.get_by_role("link", name="Set up a passkey").click()
    fair(page, "Add a passkey")
    press(page, "Add a passkey")
    fair(page, "Save your recovery codes")
    page.get_by_label("I’ve saved these codes").check()
    press(page, "Continue")
    gate.returned(page)
    page.goto(shop.authorization_url(authorization_details=json.dumps([ORDER])))
    fair(page, "Confirm it’s you")
    press(page, "Confirm and pay €129.00")
    assert "code" in gate.returned(page)


def setting_up_an_app(gate: World, page: Page) -> None:
    ana, shop = gate.newcomer(), gate.shop()
    page.goto(shop.authorization_url(claims=acr("urn:idp:acr:mfa")))
    enter(page, ana)
    fair(page, "One thing to set up first")
    page.get_by_role("link", name="Set up an authenticator app").click()
    fair(page, "Set up an authenticator app")
    page.locator("[name=otp]").fill("12")
    press(page, "Turn on")
    fair(page, "Set up an authenticator app")


def mail(gate: World, page: Page) -> None:
    ana, shop = gate.newcomer(), gate.shop()
    page.goto(shop.authorization_url())
    page.locator("[name=username]").fill(ana.email)
    press(page, "Email me a sign-in link")
    fair(page, "Check your email")
    press(page, "Continue")
    fair(page, "Check your email")
    link = links(gate.outbox.latest(to=ana.email, seconds=15))[0]
    page.goto(link)
    fair(page, "Sign in to Lampwright?")
    page.context.clear_cookies()
    page.goto(link)
    fair(page, "Go back to where you started")
    press(page, "I didn’t ask for this")
    fair(page, "Thank you. The link no longer works")
    page.goto(link)
    fair(page, "This link no longer works")


def forgotten(gate: World, page: Page) -> None:
    ana, shop = gate.newcomer(), gate.shop()
    page.goto(shop.authorization_url())
    page.get_by_role("button", name="I’ve forgotten my password").click()
    fair(page, "Set a new password")
    page.locator("[name=username]").fill(ana.email)
    press(page, "Send the link")
    fair(page, "Check your email")
    page.goto(links(gate.outbox.latest(to=ana.email, seconds=15))[0])
    fair(page, "Choose a new password")
    page.locator("[name=new_password]").fill("short")
    press(page, "Save the new password")
    fair(page, "Choose a new password")
    page.locator("[name=new_password]").fill("seven quiet herons at dusk")
    press(page, "Save the new password")
    fair(page, "Sign in to Lampwright")


def nowhere(gate: World, page: Page) -> None:
    page.goto(gate.shop().authorization_url(redirect_uri="https://elsewhere.example/"))
    fair(page, "The application sent a request we can’t accept")
    page.goto(f"{gate.url}/login/nothing")
    fair(page, "This sign-in is no longer here")
    page.goto(f"{gate.url}/nothing")
    fair(page, "There is nothing at this address")
    page.get_by_role("link", name="Go to your account").click()
    fair(page, "Sign in")


def an_unknown_passkey(gate: World, page: Page) -> None:
    soft = gate.house.passkey(gate.newcomer())
    for credential in soft.credentials.values():
        credential.id = bytes(reversed(credential.id))
    key = Keyring(page).hold(soft)
    page.goto(gate.shop().authorization_url())
    page.get_by_role("alert").wait_for()
    steady(lambda: key.credentials() == [])
    fair(page, "Sign in to Lampwright")


def a_device(gate: World, page: Page) -> None:
    grants = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]
    ana, tv = gate.newcomer(), gate.shop("Telly", grant_types=grants, consent="remember")
    form = {"scope": "openid profile email"}
    told = tv.post(f"{gate.url}/oauth/device", form).json()
    page.goto(told["verification_uri"])
    fair(page, "Enter the code from your device")
    page.locator("[name=user_code]").fill("BBBB")
    press(page, "Continue")
    page.get_by_role("alert").wait_for()
    fair(page, "Enter the code from your device")
    page.locator("[name=user_code]").fill(told["user_code"].lower())
    press(page, "Continue")
    enter(page, ana)
    fair(page, "Connect Telly to your account?")
    press(page, "Allow")
    fair(page, "You can go back to your device")
    told = tv.post(f"{gate.url}/oauth/device", form).json()
    page.goto(told["verification_uri_complete"])
    press(page, "Continue")
    fair(page, "Connect Telly to your account?")
    press(page, "Cancel")
    fair(page, "Telly was not connected")
    page.goto(f"{gate.url}/device/nothing")
    fair(page, "This code no longer works")


JOURNEYS = (
    first_page,
    second_step,
    step_up,
    setting_up_an_app,
    mail,
    forgotten,
    nowhere,
    an_unknown_passkey,
    a_device,
)


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.__name__)
def test_fair_and_narrow(gate: World, page: Page, journey: Journey) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    journey(gate, page)


def test_address_first(two_pages: World, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(two_pages.shop().authorization_url())
    fair(page, "Sign in to Lampwright")
    press(page, "Continue")
    fair(page, "Sign in to Lampwright")
    page.locator("[name=username]").fill(two_pages.newcomer().email)
    press(page, "Continue")
    fair(page, "Enter your password")
    press(page, "Continue")
    fair(page, "Enter your password")
