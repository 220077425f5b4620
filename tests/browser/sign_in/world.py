"""A provider in a process of its own, a relying party's address, and people who sign in."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import pyotp
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask, request
from markupsafe import escape
from playwright.sync_api import Locator, Page, expect

from idp.clock import system_clock
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.chromium import VirtualAuthenticator
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import PASSWORD, House, Person
from tests.helpers.ports import free_port
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.helpers.served import served
from tests.helpers.servers import serve
from tests.helpers.smtp import Outbox

CHEAP_HASH = {"IDP_ARGON2_MEMORY_KIB": "8", "IDP_ARGON2_TIME": "1"}
ROOM = {"IDP_NETWORK_ATTEMPTS": "10000"}
"""Every browser here comes from one address."""


def counter() -> Flask:
    """The relying party's own page, at any address: says what came back."""
    app = Flask("shop")

    @app.get("/<path:_where>")
    def came_back(_where: str) -> str:
        told = " ".join(request.args)
        title = "<!doctype html><html lang=en><link rel=icon href='data:,'><title>Shop</title>"
        return f"{title}<h1>Back at the shop</h1><p>{escape(told)}</p>"

    return app


@dataclass
class World:
    """One provider; every test brings people and browsers of its own."""

    house: House
    outbox: Outbox
    callback: str
    shops: dict[str, RelyingParty] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def url(self) -> str:
        """The provider's origin."""
        return self.house.settings.issuer

    def newcomer(self, **fields: Any) -> Person:
        """Somebody with a password."""
        self.house.clock.set(system_clock())
        email = f"ana{next(self.numbers)}@example.com"
        return self.house.person(email, PASSWORD, **{"name": "Ana Lima", **fields})

    def totp(self, person: Person) -> Callable[[], str]:
        """Give her an authenticator app; returns what reads the present code from it."""
        # A code is good once, and the one that sets the app up shall not be the present one.
        self.house.clock.set(system_clock() - timedelta(minutes=2))
        app = pyotp.TOTP(self.house.totp(person))
        self.house.clock.set(system_clock())
        return lambda: app.at(system_clock())

    def shop(self, name: str = "Lampwright", **members: Any) -> RelyingParty:
        """A client whose consent is not asked for, unless ``members`` say so."""
        wanted = {"client_name": name, "redirect_uris": [self.callback], "consent": "never"}
        key = f"{name} {sorted(members.items())}"
        if key not in self.shops:
            self.house.clock.set(system_clock())
            self.shops[key] = self.house.client(**{**wanted, **members})
        return self.shops[key]

    def returned(self, page: Page) -> dict[str, str]:
        """What the shop was told; waits until the browser is there."""
        page.wait_for_url(f"{self.callback}?**")
        return dict(parse_qsl(urlsplit(page.url).query))

    def finish(self, page: Page, shop: RelyingParty) -> Tokens:
        """The tokens for what the browser came back with."""
        self.returned(page)
        self.house.clock.set(system_clock())
        return shop.finish(page.url)


@contextmanager
def world(databases: Databases, folder: Path, settings: Mapping[str, str]) -> Iterator[World]:
    """Start one. ``settings`` are environment variables."""
    with ExitStack() as stack:
        database_url = stack.enter_context(databases.fresh("sqlite"))
        outbox = stack.enter_context(Outbox())
        told = {**CHEAP_HASH, **ROOM, "IDP_MAIL_URL": outbox.url, **settings}
        (server,) = stack.enter_context(serve(database_url, folder, settings=told))
        port = free_port()
        stack.enter_context(served(counter(), port))
        house = House(database_url, FakeClock(system_clock()), issuer=server.url)
        yield World(house, outbox, f"http://localhost:{port}/callback")


class Keyring(VirtualAuthenticator):
    """A virtual authenticator that can be handed passkeys made elsewhere."""

    def hold(self, soft: SoftAuthenticator) -> Self:
        """Copy in every passkey of ``soft``."""
        for one in soft.credentials.values():
            key = one.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            credential = {
                "credentialId": _text(one.id),
                "isResidentCredential": True,
                "rpId": one.rp_id,
                "privateKey": _text(key),
                "userHandle": _text(one.user_handle),
                "signCount": 0,
                "backupEligibility": one.backup_eligible,
                "backupState": one.backup_eligible,
            }
            self._own("addCredential", credential=credential)
        return self

    def touch(self, page: Page) -> None:
        """The person touches it from now on; what ``page`` asks of its own accord goes unanswered.

        Autofill is asked for once the browser has said what it can do. Its answers come in order,
        so when it has answered us as well, that request is under way.
        """
        page.evaluate("() => PublicKeyCredential.getClientCapabilities()")
        self.set_automatic_presence(True)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def press(page: Page, name: str) -> None:
    """Press the button of exactly that name."""
    page.get_by_role("button", name=name, exact=True).click()


def headed(page: Page, text: str) -> None:
    """The page's heading is this, or soon will be, and the rest of it is there as well."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text)
    page.wait_for_load_state()


def main(page: Page) -> Locator:
    """What the page is about."""
    return page.get_by_role("main")


def enter(page: Page, person: Person, password: str = PASSWORD, *, remember: bool = False) -> None:
    """Type address and password into the sign-in, and press "Sign in"."""
    page.locator("[name=username]").fill(person.email)
    page.locator("[name=password]").fill(password)
    if remember:
        page.get_by_label("Keep me signed in on this device").check()
    press(page, "Sign in")


def steady(check: Callable[[], bool], *, seconds: float = 5) -> None:
    """Wait until ``check`` holds; asserts that it does."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.05)
