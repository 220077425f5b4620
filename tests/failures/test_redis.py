"""Redis is lost, or emptied: it is slower then, and nobody gains a guess or a replay.

Mutations: in ``Tallies.count`` accounts that are counted in Redis as well, and whoever empties it
gains guesses; nothing counted in the database when Redis does not answer.
"""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pyotp
import pytest

from idp.models import Counter, User, db
from idp.services import counters
from idp.services.counters import Bucket
from idp.services.quick_counts import PREFIX, QuickCounts
from idp.services.throttle import Allowed, Wait
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.redis_server import RedisServer, redis_server
from tests.web.walking import enter, gone, shown

GUESSES = 10
"""``password_attempts``, as it is by default."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def redis(server: RedisServer) -> RedisServer:
    """Empty."""
    server.flush()
    return server


@pytest.fixture
def house(redis: RedisServer, database_url: str, clock: FakeClock) -> House:
    return House(database_url, clock, redis_url=redis.url, network_attempts=1000)


def guess(house: House, person: Person | None, address: str = "192.0.2.7") -> Allowed | Wait:
    """Count one try at a password, as a sign-in does before it judges."""
    with house.app.app_context():
        reserved = house.services.throttle.reserve(
            method="password",
            user=db.session.get(User, person.id) if person else None,
            login_name=None if person else "nobody@example.com",
            device_token=None,
            context=replace(house.context, address=address),
        )
        db.session.commit()
        return reserved


def in_the_database(house: House) -> set[str]:
    with house.app.app_context():
        return set(db.session.scalars(db.select(Counter.key)))


def test_only_what_networks_did_is_there(house: House, redis: RedisServer) -> None:
    alice, shop, agent = house.person(), house.client(consent="never"), house.browser()
    app = pyotp.TOTP(house.totp(alice))
    house.clock.advance(minutes=1)
    page = shown(agent.page(shop.authorization_url()))
    second = shown(enter(agent, page, alice))
    form = second.form("/totp")
    gone(agent.submit(second, form, {"otp": app.at(house.clock())}))
    assert redis.held()
    assert {one for one in redis.held() if not one.startswith(f"{PREFIX}net.")} == set()
    guess(house, alice)
    assert {one.partition(".")[0] for one in in_the_database(house)} == {"try", "row"}


def test_flushed_amid_guesses_nobody_has_one_more(house: House, redis: RedisServer) -> None:
    alice = house.person()
    at_once = 8
    barrier = Barrier(at_once + 1)

    def guess_on(_thread: int) -> int:
        barrier.wait(30)
        return sum(isinstance(guess(house, alice), Allowed) for _ in range(5))

    with ThreadPoolExecutor(at_once) as threads:
        allowed = threads.map(guess_on, range(at_once))
        barrier.wait(30)
        for _flush in range(5):
            redis.flush()
        assert sum(allowed) == GUESSES


def test_flushed_before_a_replay_the_code_is_still_used(house: House, redis: RedisServer) -> None:
    alice, shop = house.person(), house.client(consent="never")
    app = pyotp.TOTP(house.totp(alice))
    house.clock.advance(minutes=1)
    code = app.at(house.clock())

    def answer(typed: str) -> object:
        agent = house.browser()
        page = shown(enter(agent, shown(agent.page(shop.authorization_url())), alice))
        return agent.submit(page, page.form("/totp"), {"otp": typed})

    gone(answer(code))  # type: ignore[arg-type]
    redis.flush()
    assert "totp" in shown(answer(code)).form("/totp").action  # type: ignore[arg-type]
    house.clock.advance(minutes=1)
    gone(answer(app.at(house.clock())))  # type: ignore[arg-type]  # the control


def test_without_it_the_database_counts_networks(
    redis: RedisServer, database_url: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "not-for-the-log"
    url = redis.url.replace("redis://", f"redis://nobody:{secret}@")
    house = House(database_url, clock, redis_url=url, network_attempts=3)
    with caplog.at_level(logging.WARNING):  # that password is wrong: as good as no answer
        found = [isinstance(guess(house, None), Allowed) for _ in range(3)]
        assert found == [True] * 3
        assert isinstance(guess(house, None), Wait)
    assert any(one.startswith("net.") for one in in_the_database(house))
    assert "the database counts" in caplog.text
    assert secret not in caplog.text


def test_it_goes_away_and_comes_back(
    server: RedisServer, database_url: str, clock: FakeClock
) -> None:
    house = House(database_url, clock)
    counts = QuickCounts(server.url, apart=0)
    bucket = Bucket("net.any.x", 3, timedelta(minutes=15), personal=False)
    with house.app.app_context():
        assert counts.count([bucket], clock()) is not None
        server.stop()
        assert counts.count([bucket], clock()) is None
        counts.subtract([bucket.key], clock())  # which is no error
        server.start()
        again = counts.count([bucket], clock())
    assert again is not None
    assert again[bucket.key][0] == 1  # what it had counted is lost, and that is all


def test_one_that_does_not_answer_is_left_alone_for_a_while(
    server: RedisServer, clock: FakeClock
) -> None:
    """Or every sign-in would wait for it."""
    counts = QuickCounts(server.url, apart=3600)
    bucket = Bucket("net.any.y", 3, timedelta(minutes=15), personal=False)
    server.stop()
    try:
        assert counts.count([bucket], clock()) is None
    finally:
        server.start()
    assert counts.count([bucket], clock()) is None
    assert QuickCounts(server.url).count([bucket], clock()) is not None  # the control


def _taken_back(keys: list[str], counted_at: datetime) -> None:
    counters.settle(less=keys, counted_at=counted_at)


def test_it_counts_as_the_database_does(redis: RedisServer, database_url: str) -> None:
    clock = FakeClock()
    house, quick = House(database_url, clock), QuickCounts(redis.url)
    some = [Bucket(f"net.any.{name}", 3, timedelta(minutes=15), False) for name in "ab"]
    told: list[list[object]] = [[], []]
    began = clock()
    with house.app.app_context():
        for minutes in (0, 0, 5, 11, 0, 15, 1):
            clock.advance(minutes=minutes)
            for kept, count in zip(told, (counters.count, quick.count), strict=True):
                kept.append(count(some[: 1 + minutes % 2], clock()))
        for subtract in (_taken_back, quick.subtract):
            subtract([some[0].key], clock())
            subtract([some[0].key, "net.any.unknown"], began)  # in a window that is over
        for kept, count in zip(told, (counters.count, quick.count), strict=True):
            kept.append(count(some, clock()))
    assert told[0] == told[1]
    assert told[0][-1] != told[0][-2]
