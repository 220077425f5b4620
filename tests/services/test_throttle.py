"""Throttling: guesses are few, owners are not locked out, and races gain nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.audit import Context
from idp.config import Settings
from idp.models import AuditEvent, Counter, User, db
from idp.secrecy import Box
from idp.services import counters
from idp.services.counters import Bucket
from idp.services.devices import Devices
from idp.services.throttle import (
    IN_A_ROW,
    MAILS,
    MAILS_FROM_NETWORK,
    STEP_ATTEMPTS,
    WINDOW,
    Allowed,
    Throttle,
    Wait,
    networks_of,
)
from tests.factors.storage import add_person
from tests.helpers.clock import NOON, FakeClock
from tests.services.statements import counted

LIMIT = 10

pytestmark = pytest.mark.usefixtures("app")


class House:
    """A throttle, and people who try. ``guess`` is an attempt that turns out wrong."""

    def __init__(self, settings: Settings, box: Box, clock: FakeClock) -> None:
        self.devices = Devices(box)
        self.throttle = Throttle(settings, self.devices)
        self.clock = clock

    def reserve(
        self,
        user: User | None = None,
        *,
        login: str | None = None,
        device: str | None = None,
        address: str = "192.0.2.1",
        method: str = "password",
    ) -> Allowed | Wait:
        reserved = self.throttle.reserve(
            method=method,
            user=user,
            login_name=login,
            device_token=device,
            context=Context(at=self.clock(), address=address),
        )
        db.session.commit()
        return reserved

    def guess(self, times: int, user: User | None = None, **how: str) -> list[bool]:
        """Whether each of so many guesses was allowed; each from another network."""
        return [
            isinstance(self.reserve(user, **{"address": f"10.{n}.0.1", **how}), Allowed)
            for n in range(times)
        ]

    def succeed(self, user: User, **how: str) -> None:
        reserved = self.reserve(user, **how)
        assert isinstance(reserved, Allowed)
        self.throttle.succeeded(reserved)
        db.session.commit()

    def known_browser(self, user: User) -> str:
        return self.devices.remember(None, user.id, self.clock())

    def close(self, user: User) -> None:
        """Guess until only the owner can open it again."""
        for _ in range(IN_A_ROW // LIMIT):
            assert self.guess(LIMIT, user) == [True] * LIMIT
            self.clock.advance(minutes=15)


@pytest.fixture
def house(settings: Settings, box: Box, clock: FakeClock) -> House:
    return House(settings, box, clock)


@pytest.fixture
def ann(app: Flask) -> User:
    return add_person("ann@example.com", username="ann")


def test_so_many_guesses_and_no_more(house: House, ann: User) -> None:
    assert house.guess(LIMIT + 3, ann) == [True] * LIMIT + [False] * 3


def test_limit_is_a_setting(settings: Settings, box: Box, clock: FakeClock, ann: User) -> None:
    house = House(replace(settings, password_attempts=3), box, clock)
    assert house.guess(4, ann) == [True, True, True, False]


def test_wait_tells_how_long(house: House, ann: User) -> None:
    house.guess(LIMIT, ann)
    house.clock.advance(minutes=5, seconds=1)
    wait = house.reserve(ann)
    assert wait == Wait(timedelta(minutes=9, seconds=59))
    assert isinstance(wait, Wait)
    assert wait.minutes == 10


@pytest.mark.parametrize(
    ("minutes", "allowed"), [(14.9, False), (15, True), (60, True), (-60, False)]
)
def test_window_runs_from_the_first_guess(
    house: House, ann: User, minutes: float, allowed: bool
) -> None:
    house.guess(LIMIT, ann)
    house.clock.advance(minutes=minutes)
    assert house.guess(1, ann) == [allowed]


def test_knocking_on_does_not_make_the_wait_longer(house: House, ann: User) -> None:
    house.guess(LIMIT, ann)
    for _ in range(14):
        house.clock.advance(minutes=1)
        assert house.guess(1, ann) == [False]
    house.clock.advance(minutes=1)
    assert house.guess(LIMIT, ann) == [True] * LIMIT


def test_nobody_is_counted_like_somebody(house: House, ann: User) -> None:
    known = house.guess(LIMIT + 1, ann, login="ann@example.com")
    unknown = house.guess(LIMIT + 1, login="nobody@example.com")
    assert known == unknown == [True] * LIMIT + [False]
    assert house.reserve(ann) == house.reserve(login="nobody@example.com")


@pytest.mark.parametrize(
    ("first", "then", "together"),
    [
        ("nobody@example.com", "NOBODY@Example.COM ", True),
        ("nobody@example.com", "somebody@example.com", False),
        ("nobody", "Nobody", True),
        ("no\ud800body", "no\ud800body", True),
    ],
    ids=["spelt otherwise", "another", "user name", "not a name at all"],
)
def test_unknown_names_count_by_what_they_normalise_to(
    house: House, first: str, then: str, together: bool
) -> None:
    house.guess(LIMIT, login=first)
    assert house.guess(1, login=then) == [not together]


def test_address_and_user_name_of_one_account_count_together(house: House, ann: User) -> None:
    assert house.guess(6, ann, login="ann@example.com") == [True] * 6
    assert house.guess(6, ann, login="ann") == [True] * 4 + [False] * 2


def test_success_begins_anew(house: House, ann: User) -> None:
    for _ in range(3):
        assert house.guess(LIMIT - 1, ann) == [True] * (LIMIT - 1)
        house.succeed(ann)
    assert house.guess(LIMIT, ann) == [True] * LIMIT


def test_success_begins_a_window_anew(house: House, ann: User) -> None:
    house.succeed(ann)
    house.clock.advance(minutes=10)
    assert house.guess(LIMIT, ann) == [True] * LIMIT
    house.clock.advance(minutes=14)
    assert house.reserve(ann) == Wait(timedelta(minutes=1))


def test_given_back_after_a_success_earns_no_guess(house: House, ann: User) -> None:
    slow = [house.reserve(ann) for _ in range(3)]
    house.succeed(ann)
    for reserved in slow:
        assert isinstance(reserved, Allowed)
        house.throttle.give_back(reserved)
    db.session.commit()
    assert house.guess(LIMIT + 1, ann) == [True] * LIMIT + [False]
    counts = db.session.scalars(select(Counter.count)).all()
    assert min(counts) == 0


def test_no_count_is_less_than_nothing() -> None:
    bucket = Bucket("x.any.y", 1, WINDOW)
    counters.count([bucket], NOON)
    for _ in range(2):
        counters.settle(less=[bucket.key], counted_at=NOON)
    assert counters.count([bucket], NOON)[bucket.key] == (1, NOON + WINDOW)


def test_what_was_not_counted_is_settled_as_nothing() -> None:
    counters.settle(less=["x.any.y"], none=["x.any.z"], counted_at=NOON)
    buckets = [Bucket(f"x.any.{name}", 1, WINDOW) for name in "yz"]
    found = counters.count(buckets, NOON)
    assert found == dict.fromkeys(("x.any.y", "x.any.z"), (1, NOON + WINDOW))


def test_mishap_is_given_back(house: House, ann: User) -> None:
    for _ in range(3 * LIMIT):
        reserved = house.reserve(ann)
        assert isinstance(reserved, Allowed)
        house.throttle.give_back(reserved)
        db.session.commit()
    assert house.guess(LIMIT, ann) == [True] * LIMIT


def test_given_back_after_the_window_takes_nothing_from_the_next(house: House, ann: User) -> None:
    reserved = house.reserve(ann)
    assert isinstance(reserved, Allowed)
    house.clock.advance(minutes=15)
    house.guess(LIMIT, ann)
    house.throttle.give_back(reserved)
    db.session.commit()
    assert house.guess(1, ann) == [False]


def test_people_are_counted_apart(house: House, ann: User) -> None:
    house.guess(LIMIT, ann)
    assert house.guess(1, add_person("bob@example.com")) == [True]


def test_factors_are_counted_apart(house: House, ann: User) -> None:
    assert house.guess(STEP_ATTEMPTS + 1, ann, method="totp") == [True] * STEP_ATTEMPTS + [False]
    assert house.guess(LIMIT, ann) == [True] * LIMIT


def test_owners_browser_is_not_locked_out_by_others(house: House, ann: User) -> None:
    browser = house.known_browser(ann)
    house.guess(LIMIT + 1, ann)
    assert isinstance(house.reserve(ann, device=browser), Allowed)


def test_owners_browser_is_not_locked_out_by_its_network(house: House, ann: User) -> None:
    browser = house.known_browser(ann)
    for n in range(101):
        house.reserve(login=f"{n}@example.com", address="192.0.2.1")
    assert isinstance(house.reserve(ann, address="192.0.2.1"), Wait)
    assert isinstance(house.reserve(ann, address="192.0.2.1", device=browser), Allowed)


def test_owners_browser_has_a_limit_of_its_own(house: House, ann: User) -> None:
    browser = house.known_browser(ann)
    assert house.guess(LIMIT + 1, ann, device=browser) == [True] * LIMIT + [False]
    assert house.guess(1, ann) == [True]
    assert house.guess(1, ann, device=house.known_browser(ann)) == [True]


def test_somebody_elses_browser_is_unknown(house: House, ann: User) -> None:
    browser = house.known_browser(add_person("bob@example.com"))
    house.guess(LIMIT, ann)
    assert house.guess(1, ann, device=browser) == [False]


def test_hundred_in_a_row_close_the_password_for_unknown_browsers(house: House, ann: User) -> None:
    browser = house.known_browser(ann)
    house.close(ann)
    house.clock.advance(days=30)
    closed = house.reserve(ann)
    assert isinstance(closed, Wait)
    assert closed.closed
    assert isinstance(house.reserve(ann, device=browser), Allowed)


def test_refused_tries_are_not_counted_towards_the_hundred(house: House, ann: User) -> None:
    house.guess(5 * IN_A_ROW, ann)
    house.clock.advance(minutes=15)
    assert house.guess(LIMIT, ann) == [True] * LIMIT


def by_known_browser(house: House, ann: User) -> None:
    house.succeed(ann, device=house.known_browser(ann))


def by_another_factor(house: House, ann: User) -> None:
    house.succeed(ann, method="magic_link")


def by_a_passkey_that_names_its_owner(house: House, ann: User) -> None:
    reserved = house.reserve(method="passkey")
    assert isinstance(reserved, Allowed)
    house.throttle.succeeded(reserved, user_id=ann.id)
    db.session.commit()


def by_a_new_password(house: House, ann: User) -> None:
    house.throttle.reopen_password(ann.id)
    db.session.commit()


@pytest.mark.parametrize(
    "reopen",
    [
        by_known_browser,
        by_another_factor,
        by_a_passkey_that_names_its_owner,
        by_a_new_password,
    ],
)
def test_owner_opens_it_again(
    house: House, ann: User, reopen: Callable[[House, User], None]
) -> None:
    house.close(ann)
    assert house.guess(1, ann) == [False]
    reopen(house, ann)
    assert house.guess(LIMIT, ann) == [True] * LIMIT


def test_right_password_does_not_buy_tries_at_the_second_step(house: House, ann: User) -> None:
    house.guess(STEP_ATTEMPTS, ann, method="totp")
    house.succeed(ann, method="password")
    assert house.guess(1, ann, method="totp") == [False]


def test_browser_wrong_a_hundred_times_in_a_row_counts_as_unknown(house: House, ann: User) -> None:
    browser = house.known_browser(ann)
    for _ in range(IN_A_ROW // LIMIT):
        assert house.guess(LIMIT, ann, device=browser) == [True] * LIMIT
        house.clock.advance(minutes=15)
    assert house.guess(LIMIT, ann, device=browser) == [True] * LIMIT
    assert house.guess(1, ann) == [False]
    reserved = house.reserve(ann, device=browser)
    assert isinstance(reserved, Wait)

    house.clock.advance(minutes=15)
    empty = house.reserve(ann, device=browser)
    assert isinstance(empty, Allowed)
    house.throttle.give_back(empty)
    db.session.commit()
    assert house.guess(LIMIT + 1, ann, device=browser) == [True] * LIMIT + [False]

    house.clock.advance(minutes=15)
    house.succeed(ann, device=browser)
    house.guess(LIMIT, ann)
    assert house.guess(1, ann, device=browser) == [True]


def of_network(house: House, times: int, address: Callable[[int], str]) -> list[bool]:
    return [
        isinstance(house.reserve(login=f"{n}@example.com", address=address(n)), Allowed)
        for n in range(times)
    ]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        (lambda n: "192.0.2.1", 20),
        (lambda n: "::ffff:192.0.2.1", 20),
        (lambda n: f"192.0.2.{n % 250}", 100),
        (lambda n: f"2001:db8::{n:x}", 20),
        (lambda n: f"2001:db8:0:{n:x}::1", 100),
        (lambda n: f"10.{n}.0.1", 120),
        (lambda n: f"2001:{n:x}::1", 120),
        (lambda n: "", 120),
    ],
    ids=["one", "mapped", "/24", "/64", "/48", "far apart", "far apart v6", "no address"],
)
def test_network_tries_many_names_only_so_often(
    settings: Settings, box: Box, clock: FakeClock, address: Callable[[int], str], allowed: int
) -> None:
    house = House(replace(settings, network_attempts=20), box, clock)
    assert sum(of_network(house, 120, address)) == allowed


def test_success_leaves_what_else_its_network_did(
    settings: Settings, box: Box, clock: FakeClock, ann: User
) -> None:
    house = House(replace(settings, network_attempts=20), box, clock)
    of_network(house, 19, lambda n: "192.0.2.1")
    for _ in range(5):
        house.succeed(ann, address="192.0.2.1")
    assert of_network(house, 2, lambda n: "192.0.2.1") == [True, False]


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("192.0.2.7", ("c0000207/32", "c00002/24")),
        ("::ffff:192.0.2.7", ("c0000207/32", "c00002/24")),
        ("2001:db8::1", ("20010db800000000/64", "20010db80000/48")),
        ("fe80::1%eth0", ("fe80000000000000/64", "fe8000000000/48")),
        ("", ()),
        ("unix:", ()),
    ],
)
def test_networks(address: str, networks: tuple[str, ...]) -> None:
    assert networks_of(address) == networks


def test_waiting_is_audited(house: House, ann: User) -> None:
    house.guess(LIMIT + 1, ann)
    (event,) = db.session.scalars(select(AuditEvent)).all()
    assert (event.name, event.user_id, event.data) == (
        "login.password.throttled",
        ann.id,
        {"closed": False},
    )


def test_costs_a_statement_each(house: House, ann: User) -> None:
    house.reserve(ann)
    with counted() as statements:
        reserved = house.reserve(ann)
    assert len(statements) == 1
    assert isinstance(reserved, Allowed)
    with counted() as statements:
        house.throttle.succeeded(reserved)
    assert len(statements) == 1


def test_table_holds_no_names(house: House) -> None:
    house.reserve(login="secret.name@example.com", address="192.0.2.1")
    for key in db.session.scalars(select(Counter.key)):
        assert len(key) <= 64
        assert "secret" not in key
        assert "192" not in key


def test_somebody_who_names_nobody_is_counted_by_network_only(house: House) -> None:
    for login in (None, ""):
        reserved = house.reserve(login=login, method="passkey")
        assert isinstance(reserved, Allowed)
        assert reserved.personal == ()
    assert db.session.scalar(select(func.count()).select_from(Counter)) == 2


def mail(house: House, login: str, address: str = "") -> bool:
    reserved = house.throttle.reserve_mail(
        "reset",
        user=None,
        login_name=login,
        context=Context(at=house.clock(), address=address),
    )
    db.session.commit()
    return isinstance(reserved, Allowed)


def test_mails_to_one_address_are_few(house: House) -> None:
    sent = [mail(house, "ann@example.com", f"10.{n}.0.1") for n in range(MAILS + 1)]
    assert sent == [True] * MAILS + [False]
    house.clock.advance(hours=1)
    assert mail(house, "ann@example.com")


def test_mails_asked_for_from_one_network_are_few(house: House) -> None:
    sent = [mail(house, f"{n}@example.com", "192.0.2.1") for n in range(MAILS_FROM_NETWORK + 1)]
    assert sent == [True] * MAILS_FROM_NETWORK + [False]
