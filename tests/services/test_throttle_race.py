"""Guessing in two processes at the same moment gains nothing, and blocks nobody."""

from dataclasses import replace

from sqlalchemy import select

from idp.audit import Context
from idp.factors.base import Tools
from idp.models import Counter, User, db
from idp.services.devices import Devices
from idp.services.throttle import Allowed, Throttle, Wait
from tests.factors.race import PROCESSES, Racetrack
from tests.factors.storage import KEY, add_person
from tests.helpers.clock import NOON

ROUNDS = 20


def reserve(
    tools: Tools, user: User | None, login: str, address: str, limit: int = 10
) -> Allowed | Wait:
    settings = replace(tools.settings, password_attempts=limit)
    throttle = Throttle(settings, Devices(tools.box))
    reserved = throttle.reserve(
        method="password",
        user=user,
        login_name=login,
        device_token=None,
        context=Context(at=NOON, address=address),
    )
    db.session.commit()
    return reserved


def guess(tools: Tools, argument: tuple[str, str]) -> bool:
    return isinstance(reserve(tools, None, *argument), Allowed)


def test_parallel_guesses_do_not_exceed_the_limit(track: Racetrack, raced_url: str) -> None:
    rounds = [("ann@example.com", f"10.{n}.0.1") for n in range(ROUNDS)]
    allowed = track.run(guess, rounds, url=raced_url, key=KEY)
    assert sum(allowed) == 10 < ROUNDS * PROCESSES


def last_guess(tools: Tools, argument: tuple[str, str]) -> bool:
    return isinstance(reserve(tools, None, *argument, limit=1), Allowed)


def test_of_two_last_guesses_one_is_allowed(track: Racetrack, raced_url: str) -> None:
    rounds = [(f"{n}@example.com", f"10.{n}.0.1") for n in range(2 * ROUNDS)]
    assert track.run(last_guess, rounds, url=raced_url, key=KEY) == [1] * len(rounds)


def test_each_parallel_guess_is_counted_once(track: Racetrack, raced_url: str) -> None:
    rounds = [(f"{n}@example.com", "10.0.0.1") for n in range(ROUNDS)]
    assert track.run(guess, rounds, url=raced_url, key=KEY) == [PROCESSES] * ROUNDS
    counts = db.session.scalars(select(Counter.count).where(Counter.key.startswith("net."))).all()
    assert list(counts) == [ROUNDS * PROCESSES] * 2


def sign_in(tools: Tools, user_id: str) -> bool:
    user = db.session.get_one(User, user_id)
    reserved = reserve(tools, user, "", "10.0.0.1")
    assert isinstance(reserved, Allowed)
    Throttle(tools.settings, Devices(tools.box)).succeeded(reserved)
    return True


def test_parallel_successes_neither_deadlock_nor_leave_anything(
    track: Racetrack, raced_url: str
) -> None:
    ann = add_person("ann@example.com")
    rounds = [ann.id] * (5 * ROUNDS)
    assert track.run(sign_in, rounds, url=raced_url, key=KEY) == [PROCESSES] * len(rounds)
    assert set(db.session.scalars(select(Counter.count))) <= {0}
