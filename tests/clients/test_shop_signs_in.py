"""The shop, the ledger and the provider itself, in Chromium, as the demo puts them together."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from idp.clock import system_clock
from idp.oidc.capabilities import capabilities_of
from idp.services.client_apply import apply_client_files
from idp.services.client_files import read_client_file
from idp.services.client_rules import ClientRules
from tests.clients.modules import CLIENTS, load
from tests.helpers.chromium import VirtualAuthenticator
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.helpers.ports import free_port, wait_until
from tests.helpers.served import served
from tests.helpers.servers import serve

CHEAP_HASH = {"IDP_ARGON2_MEMORY_KIB": "8", "IDP_ARGON2_TIME": "1"}
PASSWORD = "paper lanterns drift at noon"


@dataclass
class Town:
    """A provider, a shop and a ledger, on ports of this machine."""

    house: House
    shop: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def newcomer(self) -> str:
        """The address of somebody who has an account and a password since just now."""
        self.house.clock.set(system_clock())
        address = {"locality": "Lisboa", "country": "Portugal"}
        profile = {"given_name": "Alice", "address": address}
        email = f"alice{next(self.numbers)}@example.com"
        return self.house.person(email, PASSWORD, profile=profile).email


@pytest.fixture(scope="module")
def town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One for all tests here; everybody brings an account of their own."""
    folder = tmp_path_factory.mktemp("town")
    with ExitStack() as stack:
        database_url = stack.enter_context(databases.fresh("sqlite"))
        (server,) = stack.enter_context(serve(database_url, folder, settings=CHEAP_HASH))
        house = House(database_url, FakeClock(system_clock()), issuer=server.url)
        ports = {"shop": free_port(), "ledger": free_port()}
        register(house, folder, ports["shop"])
        urls = {f"{name.upper()}_URL": f"http://localhost:{ports[name]}" for name in ports}
        told = {"OIDC_ISSUER": server.url, **urls}
        for name, port in ports.items():
            secret = {"OIDC_CLIENT_SECRET_FILE": str(folder / name / "client.secret")}
            app = load(name).from_environment({**told, **secret})
            stack.enter_context(served(app, port))
        yield Town(house, urls["SHOP_URL"])


def register(house: House, folder: Path, port: int) -> None:
    """Both clients by the files they come with, whose secrets are made on the way."""
    files = []
    for name in ("shop", "ledger"):
        (folder / name).mkdir()
        shutil.copy(CLIENTS / name / "client.toml", folder / name)
        toml = folder / name / "client.toml"
        # Redirects bring their port along (RFC 8252); whom the provider calls itself is fixed.
        called = "http://localhost:9000/backchannel"
        toml.write_text(toml.read_text().replace(called, called.replace("9000", str(port))))
        files.append(read_client_file(toml))
    services, settings = house.services, house.settings
    rules = ClientRules(settings, capabilities_of(settings), ways=services.factors.values())
    with house.app.app_context():
        apply_client_files(files, rules, services.client_secrets, house.context, environ={})


@pytest.fixture
def alice(town: Town, page: Page) -> Page:
    """Her browser: she has an account and a password, has just signed in, and allowed it."""
    email = town.newcomer()
    page.goto(town.shop)
    page.get_by_role("button", name="Sign in").click()
    page.locator("[name=username]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Good to see you, Alice")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def prove_password(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm it’s you")
    page.locator("[name=password]").fill(PASSWORD)
    press(page, "Continue")


def told(page: Page, notice: str) -> None:
    expect(page.get_by_role("status").filter(has_text=notice)).to_be_visible()


def shown(page: Page, *texts: str) -> None:
    for text in texts:
        expect(page.get_by_role("main")).to_contain_text(text)


def test_signing_in_shows_what_was_proved(town: Town, alice: Page) -> None:
    shown(alice, "One proof", "acr: urn:idp:acr:1fa", 'amr: ["pwd"]', "just now", "auth_time: ")
    shown(alice, town.house.settings.issuer, "email_verified", "Lisboa")


def test_the_second_time_nothing_is_asked(town: Town, alice: Page) -> None:
    alice.context.clear_cookies(name="lampwright")
    alice.goto(town.shop)
    press(alice, "Sign in")
    expect(alice.get_by_role("heading", level=1)).to_have_text("Good to see you, Alice")


def test_signing_out_is_signing_out_of_the_provider_too(town: Town, alice: Page) -> None:
    press(alice, "Sign out")
    told(alice, "You are signed out.")
    assert alice.url == f"{town.shop}/"
    press(alice, "Sign in")
    expect(alice.get_by_role("heading", level=1)).to_have_text("Sign in to Lampwright")


def test_signing_out_at_the_provider_is_signing_out_of_the_shop_too(
    town: Town, alice: Page
) -> None:
    alice.goto(f"{town.house.settings.issuer}/me")
    press(alice, "Sign out")
    expect(alice.get_by_role("heading", level=1)).to_have_text("You are signed out")
    shown(alice, "These apps were told:")
    expect(alice.get_by_role("listitem")).to_have_text(["Lampwright"])
    # It is told by the provider itself, from the outbox, within a second or so.
    signed_out = alice.get_by_text("You were signed out elsewhere, and so here too.")
    wait_until(lambda: _there(alice, town.shop, signed_out), seconds=15, what="the notice")


def _there(page: Page, url: str, wanted: Locator) -> bool:
    page.goto(url)
    return wanted.count() == 1


def test_a_fresh_sign_in(alice: Page) -> None:
    press(alice, "Fresh sign-in")
    prove_password(alice)
    told(alice, "You have just signed in afresh.")


def test_turning_back(alice: Page) -> None:
    press(alice, "Fresh sign-in")
    alice.get_by_text("Cancel and return to Lampwright").click()
    shown(alice, "You turned back", "Nothing has changed.", "access_denied")


def test_a_password_moves_no_money(alice: Page) -> None:
    alice.get_by_role("link", name="See my balance").click()
    shown(alice, "250.00 €")
    press(alice, "Transfer")
    expect(alice.get_by_role("heading", level=1)).to_have_text("Confirm it’s you")
    alice.get_by_text("Cancel and return to Lampwright").first.click()
    shown(alice, "You turned back", "No money has moved.")


def test_a_passkey_opens_everything(town: Town, alice: Page) -> None:
    VirtualAuthenticator(alice)
    press(alice, "Phishing-resistant")
    prove_password(alice)
    alice.get_by_role("link", name="Set up a passkey").click()
    press(alice, "Add a passkey")
    expect(alice.get_by_role("heading", level=1)).to_have_text("Save your recovery codes")
    alice.get_by_label("I’ve saved these codes").check()
    press(alice, "Continue")
    told(alice, "Confirmed in a way that cannot be phished.")
    shown(alice, "Phishing-resistant", "acr: phr", '"pop"')

    press(alice, "Two factors")
    told(alice, "Confirmed with two factors.")

    press(alice, "Confirm an order")
    shown(alice, "Pay for your order", "129.00", "Skerry", "Thursday, by bicycle")
    alice.get_by_role("button", name="Confirm and pay €129.00", exact=True).first.click()
    told(alice, "The order is confirmed.")
    shown(alice, "The proof covers exactly this order.")

    alice.goto(f"{town.shop}/ledger")
    press(alice, "Transfer")
    told(alice, "12.50 € are on their way to Harbour Glassworks.")
    shown(alice, "237.50 €")
