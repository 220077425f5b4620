"""Somebody half-way through one of the ways to sign in, whose steps are taken one by one."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pyotp
from sqlalchemy import func, select

from idp.models import AuditEvent, BrowserSession, EvidenceRow, Grant, db
from tests.failures.artefacts import DEVICE, connecting, telly
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import House
from tests.helpers.html import Form, find_object
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.web.account.visits import link_in, mails
from tests.web.walking import newcomer

WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "password": ("password", "code", "allow"),
    "mailed link": ("mail", "link", "code", "allow"),
    "passkey": ("passkey", "allow"),
    "device code": ("user_code", "password", "code", "connect", "poll"),
}
"""The steps of each, by the methods of ``Alice``."""


class Alice:
    """Signs in to ``shop``, or, the way of the device code, to a television of hers."""

    def __init__(self, house: House, shop: RelyingParty, way: str = "password") -> None:
        self.house = house
        self.shop = shop
        self.way = WAYS[way]
        self.person = newcomer(house)
        self.app = pyotp.TOTP(house.totp(self.person))
        self.soft: SoftAuthenticator | None = None
        if "passkey" in self.way:
            self.soft = house.passkey(self.person)
        house.clock.advance(minutes=1)
        self.agent: UserAgent = house.browser()
        self.url = shop.authorization_url()
        if "user_code" in self.way:
            self.tv = telly(house)
            self.told = connecting(self.tv)
            self.url = "/device"
        self.page: Page = self.agent.page(self.url)

    def send(self, path: str, **values: str) -> httpx.Response:
        form: Form = self.page.form(path)
        return self.agent.client.post(form.action, data={**form.fields, **values})

    def ask(self) -> httpx.Response:
        return self.agent.client.get(self.url)

    def look(self) -> httpx.Response:
        return self.agent.client.get(self.page.url)

    def password(self) -> httpx.Response:
        values = {"username": self.person.email, "password": self.person.password}
        return self.send("/password", **values)

    def code(self) -> httpx.Response:
        return self.send("/totp", otp=self.app.at(self.house.clock()))

    def mail(self) -> httpx.Response:
        """Ask for one."""
        form = self.page.form("/password")
        button = form.button("Email me a sign-in link")
        typed = {**form.fields, "username": self.person.email}
        return self.agent.client.post(button.action or form.action, data=typed)

    def link(self) -> httpx.Response:
        """Go on by what was mailed, which is open."""
        (form,) = [one for one in self.page.document.forms if "sign_in=" in one.action]
        return self.agent.client.post(form.action, data=dict(form.fields))

    def passkey(self) -> httpx.Response:
        options = find_object(self.page.document.data, "challenge")
        assert options is not None
        assert self.soft is not None
        answer = json.dumps(self.soft.get_assertion(options))
        fields = {**self.page.form("/password").fields, "passkey_response": answer}
        return self.agent.client.post(f"{self.page.path}/passkey", data=fields)

    def user_code(self) -> httpx.Response:
        """Type what the television shows."""
        return self.send("/device", user_code=self.told["user_code"])

    def connect(self) -> httpx.Response:
        return self.send(self.page.path, decision="allow")

    def poll(self) -> httpx.Response:
        """What the television does."""
        form = {"grant_type": DEVICE, "device_code": self.told["device_code"]}
        return self.tv.token_request(**form)

    def allow(self) -> httpx.Response:
        return self.send("/consent", decision="allow")

    def cancel(self) -> httpx.Response:
        return self.send("/cancel")

    def take(self, step: str) -> httpx.Response:
        """Do it; asserts nothing of the answer."""
        response: httpx.Response = getattr(self, step)()
        return response

    def follow(self, step: str, response: httpx.Response) -> None:
        """Be where the answer to that step leads; asserts that it was done."""
        assert response.status_code == (200 if step == "poll" else 303), step
        if step == "mail":
            mailed = link_in(mails(self.house, self.person.email)[-1])
            self.page = self.agent.page(urlsplit(mailed).path)
        elif step not in ("allow", "poll"):
            self.page = self.agent.page(response.headers["Location"])

    def go_to(self, step: str) -> None:
        """Be where ``step`` is what comes next."""
        for done in self.way[: self.way.index(step)] if step in self.way else []:
            self.follow(done, self.take(done))

    def arrived(self, response: httpx.Response) -> dict[str, Any]:
        """The claims about her that the last answer of her way leads to."""
        if self.way[-1] == "allow":
            return dict(self.shop.finish(Departure(response.headers["Location"])).claims)
        return self.tv.verify(response.json()["id_token"], response.json(), nonce=None)

    def kept(self) -> dict[str, int]:
        """What there is of hers in the database."""
        with self.house.app.app_context():
            hers = select(BrowserSession.id).where(BrowserSession.user_id == self.person.id)
            rows: dict[str, Any] = {
                "sessions": select(func.count()).select_from(hers.subquery()),
                "proofs": select(func.count(EvidenceRow.id)).where(
                    EvidenceRow.session_id.in_(hers)
                ),
                "grants": select(func.count(Grant.id)).where(Grant.user_id == self.person.id),
                "events": select(func.count(AuditEvent.id)).where(
                    AuditEvent.user_id == self.person.id
                ),
            }
            counts = {name: db.session.scalar(row) or 0 for name, row in rows.items()}
        return {**counts, "mails": len(mails(self.house, self.person.email))}
