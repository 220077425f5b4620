"""Reset by link: alike for everybody, inert until it is used, used once, and no way around."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Proof, Refused, Tools
from idp.factors.password import SAME, Password
from idp.models import (
    AuditEvent,
    BrowserSession,
    Credential,
    Entry,
    EvidenceRow,
    OutboxMessage,
    User,
    db,
)
from idp.models.outbox import DECOY
from idp.secrecy import Box
from idp.services.account_fields import Fields
from idp.services.accounts import Accounts
from idp.services.devices import Devices
from idp.services.mail import KIND, Letter, Mailer
from idp.services.reset import GONE, LIFETIME, LIFETIME_BY_HAND, PasswordReset
from idp.services.throttle import MAILS, Throttle, Wait
from idp.state import put
from tests.factors.race import Racetrack
from tests.factors.storage import KEY, add_person, make_tools
from tests.helpers.clock import NOON, FakeClock
from tests.passwords.counting import CHEAP, counting_hasher
from tests.services.opened import endings, open_everything
from tests.services.statements import counted

OLD = "paper lanterns drift at noon"
NEW = "seven slow ferries cross at dusk"
SHORT = "vexed kiwi"


@dataclass
class House:
    settings: Settings
    box: Box
    clock: FakeClock

    def __post_init__(self) -> None:
        hasher, self.work = counting_hasher(self.settings)
        self.mailer = Mailer(self.settings, self.box)
        self.throttle = Throttle(self.settings, Devices(self.box))
        self.accounts = Accounts(self.settings, hasher=hasher)
        self.reset = PasswordReset(
            self.settings, mailer=self.mailer, throttle=self.throttle, hasher=hasher
        )

    @property
    def context(self) -> Context:
        return Context(at=self.clock(), address="192.0.2.1")

    def person(self, email: str = "ann@example.com", **more: Any) -> User:
        password = more.pop("password", OLD)
        fields: Any = {"email": email, "email_verified": True, **more}
        return self.accounts.create(fields, self.context, password=password)

    def request(self, login: str = "ann@example.com") -> str:
        """Ask for a link; returns the token in the mail."""
        self.reset.request(login, self.context)
        return self.token()

    def letters(self, kind: str = KIND) -> list[Letter]:
        payloads = db.session.scalars(
            select(OutboxMessage.payload)
            .where(OutboxMessage.kind == kind)
            .order_by(OutboxMessage.id)
        )
        return [Letter(**self.box.open(payload)) for payload in payloads]

    def token(self) -> str:
        return token_in(self.letters()[-1].text)

    def signs_in(self, user: User, password: str) -> bool:
        tools = Tools(settings=self.settings, box=self.box, clock=self.clock)
        verdict = Password(tools).verify(user, {}, {"password": password}, self.clock())
        db.session.commit()
        return isinstance(verdict, Proof)


def token_in(text: str) -> str:
    (token,) = re.findall(r"https://id\.example\.com/login/reset/([\w-]{43})\b", text)
    return str(token)


@pytest.fixture
def house(app: Flask, settings: Settings, box: Box, clock: FakeClock) -> House:
    return House(replace(settings, **CHEAP), box, clock)


@pytest.fixture
def ann(house: House) -> User:
    return house.person(username="ann")


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def events() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.name).order_by(AuditEvent.id)))


def test_it_locks_counts_before_sessions_as_a_proof_under_way_does(house: House, ann: User) -> None:
    """The other way round PostgreSQL would end one of the two, and it may be the reset."""
    token = house.request()
    with counted() as statements:
        assert house.reset.finish(token, NEW, house.context) is ann
    writes = [one.split()[:3] for one in statements if not one.startswith("SELECT")]
    assert writes.index(["INSERT", "INTO", "counters"]) < [one[:2] for one in writes].index(
        ["UPDATE", "sessions"]
    )


@pytest.mark.parametrize("login", ["ann@example.com", " ANN@example.com", "Ann"])
def test_link_comes_by_mail_and_sets_the_password(house: House, ann: User, login: str) -> None:
    token = house.request(login)
    assert house.letters()[0].to == "ann@example.com"
    assert house.reset.finish(token, NEW, house.context) is ann
    assert house.signs_in(ann, NEW)
    assert not house.signs_in(ann, OLD)


def test_link_and_what_it_stands_for_are_kept_hashed_and_sealed(house: House, ann: User) -> None:
    token = house.request()
    for table in (Entry, OutboxMessage, AuditEvent):
        rows = db.session.execute(select(table.__table__)).all()
        assert token not in repr([tuple(row) for row in rows])


def nobody(house: House) -> str:
    return "nobody@example.com"


def nobody_by_user_name(house: House) -> str:
    return "nobody"


def no_name_at_all(house: House) -> str:
    return "\x00 not a name"


def disabled(house: House) -> str:
    user = house.person("disabled@example.com")
    house.accounts.disable(user, house.context)
    return user.email


def unverified(house: House) -> str:
    return house.person("unverified@example.com", email_verified=False).email


def without_a_password(house: House) -> str:
    return house.person("bare@example.com", password=None).email


SILENT = [nobody, nobody_by_user_name, no_name_at_all, disabled, unverified]


@pytest.mark.parametrize("who", SILENT)
def test_nobody_else_is_written_to(house: House, who: Callable[[House], str]) -> None:
    house.reset.request(who(house), house.context)
    assert house.letters() == []
    (decoy,) = house.letters(DECOY)
    assert house.reset.peek(token_in(decoy.text), house.clock()) is None
    assert house.reset.finish(token_in(decoy.text), NEW, house.context) is GONE


@pytest.mark.parametrize("who", [*SILENT, without_a_password])
def test_asking_is_the_same_work_for_everybody(
    house: House, ann: User, who: Callable[[House], str]
) -> None:
    """Whoever types an address is compared with an address, and a user name with a user name."""
    login = who(house)
    known_as = ann.email if "@" in login else ann.username
    with counted() as usual:
        house.reset.request(known_as or "", house.context)
    with counted() as this:
        house.reset.request(login, house.context)
    assert this == usual
    assert count(OutboxMessage) == 2


def test_person_without_a_password_may_set_one(house: House) -> None:
    user = house.person(password=None)
    assert house.reset.finish(house.request(), NEW, house.context) is user
    assert house.signs_in(user, NEW)


def test_looking_at_a_link_does_nothing(house: House, ann: User) -> None:
    token = house.request()
    before = events()
    with counted() as statements:
        for _ in range(3):
            pending = house.reset.peek(token, house.clock())
    assert all(statement.startswith("SELECT") for statement in statements)
    assert pending is not None
    assert (pending.user, pending.minimum) == (ann, 15)
    assert events() == before
    assert house.reset.finish(token, NEW, house.context) is ann


def test_link_works_once(house: House, ann: User) -> None:
    token = house.request()
    house.reset.finish(token, NEW, house.context)
    assert house.reset.peek(token, house.clock()) is None
    assert house.reset.finish(token, OLD, house.context) is GONE
    assert house.signs_in(ann, NEW)


def test_newer_link_replaces_the_older(house: House, ann: User) -> None:
    first, second = house.request(), house.request()
    assert house.reset.peek(first, house.clock()) is None
    assert house.reset.finish(first, NEW, house.context) is GONE
    assert house.reset.finish(second, NEW, house.context) is ann


@pytest.mark.parametrize(
    ("after", "works"), [(LIFETIME - timedelta(seconds=1), True), (LIFETIME, False)]
)
def test_link_lives_an_hour(house: House, ann: User, after: timedelta, works: bool) -> None:
    token = house.request()
    house.clock.set(NOON + after)
    assert (house.reset.peek(token, house.clock()) is not None) is works
    assert (house.reset.finish(token, NEW, house.context) is ann) is works


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "\x00", "é"])
def test_made_up_link_is_of_no_use(house: House, ann: User, token: str) -> None:
    house.request()
    assert house.reset.peek(token, house.clock()) is None
    assert house.reset.finish(token, NEW, house.context) is GONE


def test_link_of_another_purpose_is_of_no_use(house: House, ann: User) -> None:
    token = put("registration", {"user_id": ann.id, "address": None}, now=NOON, lifetime=LIFETIME)
    assert house.reset.finish(token, NEW, house.context) is GONE


@pytest.mark.parametrize(
    ("password", "words"),
    [
        (SHORT, "at least 15"),
        ("ann@example.com", "too close"),
        ("qwerty123456789", "tried first"),
        ("", "Enter a new password."),
    ],
)
def test_password_that_will_not_do_leaves_the_link(
    house: House, ann: User, password: str, words: str
) -> None:
    token = house.request()
    refused = house.reset.finish(token, password, house.context)
    assert isinstance(refused, Refused)
    assert words in refused.message
    assert refused.at_field == "new_password"
    assert house.signs_in(ann, OLD)
    assert house.reset.finish(token, NEW, house.context) is ann


def test_shorter_one_will_do_beside_a_second_step(house: House, ann: User) -> None:
    db.session.add(Credential(user_id=ann.id, kind="totp", created_at=NOON))
    db.session.commit()
    token = house.request()
    pending = house.reset.peek(token, house.clock())
    assert pending is not None
    assert pending.minimum == 8
    assert house.reset.finish(token, SHORT, house.context) is ann


def test_ends_what_was_open_and_opens_nothing(house: House, ann: User) -> None:
    db.session.add(Credential(user_id=ann.id, kind="totp", created_at=NOON))
    open_everything(ann)
    token = house.request()
    assert endings() == [False, False]
    house.reset.finish(token, NEW, house.context)
    assert endings() == [True, True]
    assert (count(BrowserSession), count(EvidenceRow)) == (1, 0)
    kinds = db.session.scalars(select(Credential.kind).order_by(Credential.kind)).all()
    assert kinds == ["password", "totp"], "the second step is still asked for"


def test_owner_is_told(house: House, ann: User) -> None:
    house.reset.finish(house.request(), NEW, house.context)
    told = house.letters()[-1]
    assert (told.to, told.template) == ("ann@example.com", "security_notice")
    assert "Your password was changed." in told.text


def test_is_audited_without_secrets(house: House, ann: User) -> None:
    token = house.request()
    house.reset.request("nobody@example.com", house.context)
    house.reset.finish(token, NEW, house.context)
    rows = db.session.scalars(
        select(AuditEvent).where(AuditEvent.name.startswith("password.")).order_by(AuditEvent.id)
    )
    told = [(row.name, row.user_id, row.data) for row in rows]
    assert told == [
        ("password.reset.requested", ann.id, {}),
        ("password.reset.requested", None, {}),
        ("password.reset.finished", ann.id, {"by_mail": True}),
    ]


def test_failures_with_the_old_password_no_longer_count(house: House, ann: User) -> None:
    def guess() -> bool:
        reserved = house.throttle.reserve(
            method="password", user=ann, login_name=None, device_token=None, context=house.context
        )
        db.session.commit()
        return not isinstance(reserved, Wait)

    assert [guess() for _ in range(11)] == [True] * 10 + [False]
    house.reset.finish(house.request(), NEW, house.context)
    assert guess()


def disable(house: House, user: User) -> None:
    house.accounts.disable(user, house.context)


def delete(house: House, user: User) -> None:
    house.accounts.delete(user, house.context)


def move(house: House, user: User) -> None:
    fields: Fields = {"email": "new@example.com", "email_verified": True}
    house.accounts.update(user, fields, house.context)


@pytest.mark.parametrize("happens", [disable, delete, move])
def test_link_dies_with_what_it_was_sent_for(
    house: House, ann: User, happens: Callable[[House, User], None]
) -> None:
    token = house.request()
    happens(house, ann)
    assert house.reset.peek(token, house.clock()) is None
    assert house.reset.finish(token, NEW, house.context) is GONE


def test_somebody_who_asks_too_often_is_neither_helped_nor_told(house: House, ann: User) -> None:
    for _ in range(MAILS + 3):
        house.reset.request("ann@example.com", house.context)
    assert len(house.letters()) == MAILS
    assert events().count("password.reset.throttled") == 3
    assert house.reset.finish(house.token(), NEW, house.context) is ann, "the last one works"


def test_link_that_is_printed_sets_the_password_and_proves_no_mailbox(house: House) -> None:
    user = house.person(email_verified=False)
    url = house.reset.link(user, house.context)
    assert house.letters() == []
    house.clock.set(NOON + LIFETIME_BY_HAND - timedelta(seconds=1))
    assert house.reset.finish(token_in(url), NEW, house.context) is user
    assert not user.email_verified


def test_link_that_an_administrator_mails_shows_the_mailbox(house: House) -> None:
    user = house.person(email_verified=False, password=None)
    house.reset.send(user, house.context, invited=True)
    (letter,) = house.letters()
    assert "An account was made for you" in letter.text
    assert house.reset.finish(house.token(), NEW, house.context) is user
    db.session.expire_all()
    assert user.email_verified


def test_new_password_is_hashed_only_when_the_link_is_good(house: House, ann: User) -> None:
    token = house.request()
    made = house.work.made
    house.reset.finish("x" * 43, NEW, house.context)
    house.reset.finish(token, SHORT, house.context)
    assert house.work.made == made


def test_the_password_there_is_already_is_no_new_one(house: House, ann: User) -> None:
    token = house.request()
    refused = house.reset.finish(token, OLD, house.context)
    assert refused is SAME
    assert "password.reset.finished" not in events()
    assert house.reset.finish(token, NEW, house.context) is ann


@pytest.mark.parametrize("password", [OLD, None], ids=["with a password", "without one"])
def test_a_new_password_is_the_same_work_whoever_has_one(
    house: House, password: str | None
) -> None:
    user = house.person(password=password)
    token = house.request()
    house.work.checked.clear()
    assert house.reset.finish(token, NEW, house.context) is user
    assert house.work.checked == ["m=64,t=1,p=1"]


def use(tools: Tools, token: str) -> bool:
    settings = replace(tools.settings, **CHEAP)
    box = Box(settings.keys)
    reset = PasswordReset(
        settings, mailer=Mailer(settings, box), throttle=Throttle(settings, Devices(box))
    )
    return isinstance(reset.finish(token, NEW, Context(at=NOON)), User)


def test_of_two_at_once_one_uses_the_link(track: Racetrack, raced_url: str) -> None:
    tools = make_tools()
    box = Box(tools.settings.keys)
    reset = PasswordReset(
        tools.settings,
        mailer=Mailer(tools.settings, box),
        throttle=Throttle(tools.settings, Devices(box)),
    )
    people = [add_person(f"{n}@example.com") for n in range(10)]
    urls = [reset.link(person, Context(at=NOON)) for person in people]
    tokens = [url.rpartition("/")[2] for url in urls]
    assert track.run(use, tokens, url=raced_url, key=KEY) == [1] * len(tokens)
    assert count(Credential) == len(people)
    assert events().count("password.reset.finished") == len(people)
