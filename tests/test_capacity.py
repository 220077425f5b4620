"""So many at once and no more: places, the gate before hashing, and who makes room for whom."""

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from threading import Barrier, Event, Thread, get_ident

import pytest

from idp import capacity
from idp.capacity import Busy, Gate, Places, worked_on
from tests.helpers.ports import wait_until


def gate(places: int, waiting: int, *, patience: float = 30) -> Gate:
    return Gate(places, waiting, patience=patience, name="test")


class Inside(Thread):
    """Somebody in a gate, who stays until told to go."""

    def __init__(self, through: Gate, *, working_in: Places | None = None) -> None:
        super().__init__(daemon=True)
        self._gate = through
        self._places = working_in
        self.is_in = Event()
        self.may_go = Event()
        self.refused: Busy | None = None
        self.start()

    def run(self) -> None:
        try:
            if self._places is None:
                self._pass()
            else:
                with worked_on(self._places):
                    self._pass()
        except Busy as error:
            self.refused = error

    def _pass(self) -> None:
        self._gate.do(self._stay)

    def _stay(self) -> None:
        self.is_in.set()
        self.may_go.wait(30)

    def leave(self) -> None:
        self.may_go.set()
        self.join(30)


def come_to_wait(through: Gate, **where: Places) -> Inside:
    """One more who waits at the gate, and is there by now."""
    before = through.waiting
    one = Inside(through, **where)
    wait_until(lambda: through.waiting > before, seconds=20, what="one more who waits")
    return one


def test_who_comes_when_everybody_waits_is_turned_away_at_once() -> None:
    door = gate(1, 1)
    first = Inside(door)
    assert first.is_in.wait(30)
    second = come_to_wait(door)
    assert (door.working, door.waiting, door.full) == (1, 1, True)
    with pytest.raises(Busy, match="test"):
        door.do(lambda: pytest.fail("there was no room"))
    first.leave()
    assert second.is_in.wait(30)
    second.leave()
    assert (door.working, door.waiting, door.full) == (0, 0, False)
    assert door.do(lambda: door.working) == 1  # the control: now there is


def test_who_waits_too_long_is_turned_away_and_leaves_no_trace() -> None:
    door = gate(1, 1, patience=0.01)
    first = Inside(door)
    assert first.is_in.wait(30)
    second = Inside(door)
    second.join(30)
    assert second.refused is not None
    assert (door.working, door.waiting) == (1, 0)
    first.leave()


def test_an_error_within_leaves_no_trace() -> None:
    door, places = gate(1, 0), Places(1, name="request")
    with pytest.raises(ZeroDivisionError), worked_on(places):
        door.do(lambda: 1 // 0)
    assert (door.working, places.free) == (0, 1)


def test_who_works_does_so_in_its_own_thread() -> None:
    """Handing it to another and back was seen to cost a tenth of a whole sign-in."""
    assert gate(2, 20).do(get_ident) == get_ident()


def test_nobody_is_at_work_in_a_process_that_was_forked() -> None:
    first = Inside(capacity.gate("forked", 1, 0, patience=9))
    assert first.is_in.wait(30)
    child = get_context("fork").Process(target=_hash_in_a_child)
    child.start()
    child.join(30)
    first.leave()
    assert child.exitcode == 0


def test_a_process_forked_while_a_gate_is_made_makes_its_own() -> None:
    """Whatever the thread that was making one held, nobody in the new process gives it back."""
    forking, going_on = Event(), Event()

    class Slow(int):
        """Takes long to be counted with, as a gate counts how many have room."""

        def __add__(self, other: int) -> int:
            forking.set()
            going_on.wait(30)
            return int(self) + other

    maker = Thread(target=capacity.gate, args=("being made", Slow(1), 0), kwargs={"patience": 9})
    maker.start()
    assert forking.wait(30)
    child = get_context("fork").Process(target=_hash_in_a_child, args=("being made",))
    child.start()
    child.join(30)
    child.kill()
    going_on.set()
    maker.join(30)
    assert child.exitcode == 0


def test_threads_that_come_at_once_get_the_same_gate() -> None:
    with ThreadPoolExecutor(8) as threads:
        for number in range(50):
            start = Barrier(8)
            made = [threads.submit(_made_at_once, start, f"once {number}") for _ in range(8)]
            assert len({id(one.result()) for one in made}) == 1


def _made_at_once(start: Barrier, name: str) -> Gate:
    start.wait(30)
    return capacity.gate(name, 1, 0, patience=9)


def _hash_in_a_child(name: str = "forked") -> None:
    assert capacity.gate(name, 1, 0, patience=9).do(lambda: 1) == 1


def test_who_hashes_leaves_its_place_to_others() -> None:
    """However many hash and wait to: every request that does not has its place."""
    door, places = gate(1, 2), Places(1, name="request")
    first = Inside(door, working_in=places)
    assert first.is_in.wait(30)
    others = [come_to_wait(door, working_in=places) for _ in range(2)]
    with worked_on(places):
        assert places.free == 0
    for one in (first, *others):
        one.leave()
    assert places.free == 1


def test_who_has_hashed_takes_a_place_again() -> None:
    """What follows the hash is work like any other."""
    door, places = gate(1, 0), Places(1, name="request")
    first = Inside(door, working_in=places)
    assert first.is_in.wait(30)
    with worked_on(places):
        first.may_go.set()
        first.join(0.05)
        assert first.is_alive()
    first.join(30)
    assert (first.refused, places.free) == (None, 1)


def test_a_request_that_gets_no_place_in_time_is_turned_away() -> None:
    places = Places(1, name="request")
    with worked_on(places), pytest.raises(Busy):
        places.enter(patience=0.01)
    places.enter(patience=0.01)
