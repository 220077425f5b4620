from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.helpers.clock import NOON, FakeClock


def test_it_stands_still_until_moved(clock: FakeClock) -> None:
    assert clock() == clock() == NOON
    assert clock.advance(hours=1, seconds=0.5) == NOON + timedelta(hours=1, milliseconds=500)
    assert clock() == NOON + timedelta(hours=1, milliseconds=500)


def test_it_can_jump_backwards(clock: FakeClock) -> None:
    assert clock.advance(days=-1) == NOON - timedelta(days=1)


def test_it_speaks_utc(clock: FakeClock) -> None:
    clock.set(datetime(2030, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))))
    assert clock().isoformat() == "2029-12-31T23:00:00+00:00"
    assert clock().tzinfo is UTC


def test_it_refuses_naive_instants() -> None:
    with pytest.raises(ValueError, match="time zone"):
        FakeClock(datetime(2030, 1, 1))  # noqa: DTZ001 - the point of the test
