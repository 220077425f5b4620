"""Registering oneself: off unless it is on, alike for known and unknown, and no account before."""

import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Refused
from idp.models import AuditEvent, Credential, OutboxMessage, User, db
from idp.secrecy import Box
from idp.services.accounts import Accounts
from idp.services.devices import Devices
from idp.services.invalid import Invalid
from idp.services.mail import Letter, Mailer
from idp.services.registration import LIFETIME, Closed, Registration
from idp.services.reset import GONE
from idp.services.throttle import MAILS, Throttle
from tests.helpers.clock import NOON, FakeClock
from tests.passwords.counting import CHEAP, counting_hasher
from tests.services.statements import counted

PASSWORD = "paper lanterns drift at noon"


@dataclass
class House:
    settings: Settings
    box: Box
    clock: FakeClock

    def __post_init__(self) -> None:
        hasher, self.work = counting_hasher(self.settings)
        self.accounts = Accounts(self.settings, hasher=hasher)
        self.registration = Registration(
            self.settings,
            mailer=Mailer(self.settings, self.box),
            throttle=Throttle(self.settings, Devices(self.box)),
            hasher=hasher,
        )

    @property
    def context(self) -> Context:
        return Context(at=self.clock(), address="192.0.2.1")

    def request(self, email: str = "ann@example.com", transaction_id: str | None = None) -> str:
        """Ask for a link; returns the token in the mail."""
        assert self.registration.request(email, self.context, transaction_id=transaction_id) is None
        (token,) = re.findall(
            r"https://id\.example\.com/login/verify/([\w-]{43})\b", self.letters()[-1].text
        )
        return str(token)

    def finish(self, token: str, name: str = "Ann", password: str = PASSWORD) -> User | Refused:
        return self.registration.finish(
            token, name=name, new_password=password, context=self.context
        )

    def letters(self) -> list[Letter]:
        payloads = db.session.scalars(select(OutboxMessage.payload).order_by(OutboxMessage.id))
        return [Letter(**self.box.open(payload)) for payload in payloads]


@pytest.fixture
def house(app: Flask, settings: Settings, box: Box, clock: FakeClock) -> House:
    return House(replace(settings, registration=True, **CHEAP), box, clock)


def people() -> int:
    return db.session.scalar(select(func.count()).select_from(User)) or 0


def events() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.name).order_by(AuditEvent.id)))


def test_account_comes_to_be_when_the_link_is_used(house: House) -> None:
    token = house.request(" Ann@Example.com")
    assert house.letters()[0].to == "ann@example.com"
    assert people() == 0
    user = house.finish(token)
    assert isinstance(user, User)
    db.session.expire_all()
    assert (user.email, user.email_verified, user.name) == ("ann@example.com", True, "Ann")
    assert (user.role, user.username) == (None, None)
    assert db.session.scalars(select(Credential.kind)).all() == ["password"]
    assert events() == ["registration.requested", "user.created"]


@pytest.mark.parametrize(
    "without",
    [{"login_style": "passkey_only"}, {"refused_methods": ("password",)}],
    ids=["passkeys only", "passwords refused"],
)
def test_no_password_is_asked_for_or_kept_where_none_is_taken(
    house: House, without: dict[str, Any]
) -> None:
    passwordless = House(replace(house.settings, **without), house.box, house.clock)
    token = passwordless.request()
    seen = passwordless.registration.peek(token, house.clock())
    assert seen is not None
    assert seen.minimum is None
    assert isinstance(passwordless.finish(token, password=""), User)
    assert db.session.scalars(select(Credential.kind)).all() == []


def test_looking_at_the_link_does_nothing(house: House) -> None:
    token = house.request(transaction_id="transaction")
    for _ in range(2):
        seen = house.registration.peek(token, house.clock())
    assert seen is not None
    assert (seen.email, seen.minimum, seen.transaction_id) == ("ann@example.com", 15, "transaction")
    assert people() == 0
    assert isinstance(house.finish(token), User)


def test_off_by_default(app: Flask, settings: Settings, box: Box, house: House) -> None:
    closed = House(settings, box, house.clock)
    token = house.request()
    with pytest.raises(Closed):
        closed.registration.request("bob@example.com", closed.context)
    with pytest.raises(Closed):
        closed.finish(token)
    assert closed.registration.peek(token, NOON) is None
    assert people() == 0


def test_known_address_is_told_so_by_mail_only(house: House) -> None:
    house.accounts.create({"email": "ann@example.com"}, house.context)
    assert house.registration.request("Ann@example.com", house.context) is None
    (letter,) = house.letters()
    assert (letter.to, letter.template) == ("ann@example.com", "account_exists")
    assert "https://id.example.com/login/" in letter.text
    assert "/verify/" not in letter.text


def test_asking_is_the_same_work_for_known_and_unknown(house: House) -> None:
    house.accounts.create({"email": "ann@example.com"}, house.context)
    with counted() as known:
        house.registration.request("ann@example.com", house.context)
    with counted() as unknown:
        house.registration.request("bob@example.com", house.context)
    assert known == unknown
    assert house.work.checked == []


@pytest.mark.parametrize("email", ["", "ann", "ann@example.com@evil.example", "ann\uff20x.com"])
def test_no_address_is_said_to_be_none(house: House, email: str) -> None:
    refused = house.registration.request(email, house.context)
    assert isinstance(refused, Refused)
    assert (refused.at_field, refused.counts) == ("username", False)
    assert house.letters() == []


def test_link_works_once(house: House) -> None:
    token = house.request()
    house.finish(token)
    assert house.registration.peek(token, house.clock()) is None
    assert house.finish(token) is GONE
    assert people() == 1


def test_newer_link_replaces_the_older(house: House) -> None:
    first, second = house.request(), house.request()
    assert house.finish(first) is GONE
    assert isinstance(house.finish(second), User)


def test_link_lives_a_day(house: House) -> None:
    token = house.request()
    house.clock.set(NOON + LIFETIME)
    assert house.registration.peek(token, house.clock()) is None
    assert house.finish(token) is GONE


def test_account_that_was_made_meanwhile_stays_as_it_is(house: House) -> None:
    token = house.request()
    ann = house.accounts.create({"email": "ann@example.com", "name": "First"}, house.context)
    assert house.finish(token, name="Second") is GONE
    db.session.expire_all()
    assert (people(), ann.name) == (1, "First")
    assert db.session.scalars(select(Credential)).all() == []


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [
        ("Ann", "short", "new_password"),
        ("Ann", "ann@example.com", "new_password"),
        ("Ann\nBaker", PASSWORD, "name"),
    ],
)
def test_what_will_not_do_leaves_the_link(
    house: House, name: str, password: str, field: str
) -> None:
    token = house.request()
    with pytest.raises(Invalid) as refused:
        house.finish(token, name, password)
    db.session.rollback()
    assert refused.value.problems.keys() == {field}
    assert people() == 0
    assert isinstance(house.finish(token), User)


def test_asking_too_often_has_no_effect_and_is_not_told(house: House) -> None:
    for _ in range(MAILS + 1):
        assert house.registration.request("ann@example.com", house.context) is None
    assert len(house.letters()) == MAILS
    assert events()[-1] == "registration.throttled"
