"""Clocks apart and jumping: half a minute goes unnoticed, and nothing comes back to life.

Mutations: ``SteadyClock.__call__`` that returns what the machine tells; ``Live.by_now`` that
returns ``self.evidence``; ``transactions.begin`` without ``after``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from idp.clock import FOLLOWED, SteadyClock
from tests.failures.artefacts import LASTING, ONCE, Node, as_there, at, code, totp
from tests.helpers.clock import NOON, FakeClock
from tests.helpers.house import House
from tests.helpers.user_agent import Departure, Page
from tests.web.walking import enter, gone, housed, newcomer, shown, signed_in, silently

AHEAD = 120


@contextmanager
def nodes(url: str, seconds: float) -> Iterator[tuple[House, House]]:
    """Two over one database; the second one's clock is that much ahead (or behind)."""
    other = FakeClock(NOON + timedelta(seconds=seconds))
    with housed(url, FakeClock(NOON)) as right, housed(url, other) as off:
        yield right, off


@pytest.mark.parametrize("seconds", [-30, 30])
def test_half_a_minute_goes_unnoticed(database_url: str, seconds: float) -> None:
    with nodes(database_url, seconds) as (right, off):
        for make in (*ONCE, *LASTING):
            thing = make(right)
            assert thing.use(off), thing.name
            if make in ONCE and thing.name != "refresh token":  # whose answer may be repeated
                assert not thing.use(right), thing.name


@pytest.mark.parametrize("seconds", [-AHEAD, AHEAD])
def test_two_minutes_apart_nothing_is_good_twice(database_url: str, seconds: float) -> None:
    with nodes(database_url, seconds) as (right, off):
        for make in (code, totp):
            thing = make(right)
            tried: list[Node] = [off, right, off, right]
            bought = sum(thing.use(node) for node in tried)
            assert bought <= 1, thing.name


@pytest.mark.parametrize("seconds", [-AHEAD, AHEAD])
@pytest.mark.parametrize("wish", [{"prompt": "login"}, {"max_age": 0}], ids=str)
def test_who_has_to_sign_in_anew_has_to(
    database_url: str, seconds: float, wish: dict[str, object]
) -> None:
    """What was proved at a node that is ahead is no proof given after the request."""
    with nodes(database_url, seconds) as (right, off):
        alice, shop = newcomer(right), right.client(consent="never")
        agent = as_there(signed_in(right, shop, alice), off)
        there = at(shop, off)
        there.clock = off.clock
        page = agent.page(there.authorization_url(**wish))
        off.clock.advance(seconds=2 * AHEAD)  # she dawdles until it is not ahead any more
        page = shown(agent.get(page.url))
        claims = there.finish(gone(enter(agent, page, alice))).claims
        assert claims["amr"] == ["pwd"]
        assert silently(agent, there) == "", "the control: nobody asks for a fresh one"


def test_silently_it_is_not_fresh_either(database_url: str) -> None:
    with nodes(database_url, -AHEAD) as (right, behind):
        alice, shop = newcomer(right), right.client(consent="never")
        agent = as_there(signed_in(right, shop, alice), behind)
        there = at(shop, behind)
        assert silently(agent, there, max_age=0) == "login_required"
        assert silently(agent, there, max_age=3600) == ""


class Machine:
    """A machine's clock that can be set, and the beats of its processor that cannot."""

    def __init__(self) -> None:
        self.wall, self.beat = FakeClock(NOON), 0.0

    def passes(self, seconds: float) -> None:
        self.beat += seconds
        self.wall.advance(seconds=seconds)

    @property
    def clock(self) -> SteadyClock:
        return SteadyClock(self.wall, lambda: self.beat)


def test_a_clock_that_is_set_back_is_not_followed() -> None:
    machine = Machine()
    clock = machine.clock
    machine.passes(60)
    machine.wall.advance(hours=-1)
    machine.passes(60)
    assert clock() == NOON + timedelta(minutes=2)
    assert clock.behind == timedelta(hours=1)
    machine.wall.advance(hours=1)
    assert (clock(), clock.behind) == (NOON + timedelta(minutes=2), timedelta())


@pytest.mark.parametrize(
    ("step", "followed"),
    [
        pytest.param(timedelta(hours=9), True, id="forward"),
        pytest.param(-FOLLOWED, True, id="back by as much as time servers correct"),
        pytest.param(-2 * FOLLOWED, False, id="back by more"),
    ],
)
def test_which_steps_are_followed(step: timedelta, followed: bool) -> None:
    machine = Machine()
    clock = machine.clock
    clock()
    machine.wall.set(machine.wall() + step)
    assert clock() == (NOON + step if followed else NOON)


@pytest.fixture
def set_back(database_url: str) -> Iterator[tuple[House, Machine]]:
    """A node as ``idp.wsgi`` makes it, whose machine's clock will be set back."""
    machine = Machine()
    with housed(database_url, machine.clock) as house:  # type: ignore[arg-type]
        yield house, machine


def test_what_has_expired_stays_so_when_the_clock_is_set_back(
    set_back: tuple[House, Machine],
) -> None:
    house, machine = set_back
    alice, shop = newcomer(house), house.client(consent="never")
    agent = signed_in(house, shop, alice)
    waiting = house.browser()
    value, pending = shop.authorization_code(
        gone(enter(waiting, waiting.page(shop.authorization_url()), alice))
    )
    assert silently(agent, shop) == ""
    machine.passes(15 * 86400)
    assert silently(agent, shop) == "login_required"
    machine.wall.advance(days=-15)
    assert silently(agent, shop) == "login_required"
    form = {"grant_type": "authorization_code", "code": value, "redirect_uri": shop.redirect_uri}
    refused = shop.token_request(**form, code_verifier=pending.verifier or "")
    assert refused.json()["error"] == "invalid_grant"
    ready = house.http().get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "clock")
    assert isinstance(house.browser().get(shop.authorization_url()), Page | Departure)
