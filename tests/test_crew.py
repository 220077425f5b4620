"""Work that is handed to a few threads: done once or not at all, and its outcome the asker's."""

import gc
import threading
from collections.abc import Iterator
from threading import Event, Thread, get_ident

import pytest

from idp.crew import Crew, NotBegun, _Task


@pytest.fixture
def alone() -> Crew:
    return Crew(1, name="lonely")


@pytest.fixture
def busy(alone: Crew) -> Iterator[tuple[Crew, Event]]:
    """A crew of one that is at work until the event."""
    at_work, may_end = Event(), Event()

    def work() -> None:
        at_work.set()
        assert may_end.wait(30)

    asking = Thread(target=lambda: alone.do(work, patience=30))
    asking.start()
    assert at_work.wait(30)
    yield alone, may_end
    may_end.set()
    asking.join()


def test_what_is_found_comes_back_from_another_thread(alone: Crew) -> None:
    assert alone.do(get_ident, patience=30) != get_ident()
    assert alone.do(lambda: None, patience=30) is None


@pytest.mark.parametrize("error", [ZeroDivisionError("by nothing"), SystemExit(3)])
def test_what_goes_wrong_is_the_askers_and_the_thread_goes_on(
    alone: Crew, error: BaseException
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        alone.do(fail, patience=30)
    assert raised.value is error
    assert alone.do(lambda: 1, patience=30) == 1


def test_what_nobody_began_in_time_is_never_done(busy: tuple[Crew, Event]) -> None:
    crew, may_end = busy
    done: list[int] = []
    with pytest.raises(NotBegun):
        crew.do(lambda: done.append(1), patience=0.01)
    may_end.set()
    assert crew.do(lambda: 2, patience=30) == 2
    assert not done


def test_what_was_begun_is_waited_for(alone: Crew) -> None:
    """However long it takes: it cannot be given up half-way."""
    slow = Event()

    def work() -> str:
        slow.wait(0.2)
        return "done"

    assert alone.do(work, patience=0.01) == "done"


def test_a_task_is_one_takers() -> None:
    task = _Task(lambda: 1)
    assert [task.take() for _ in range(3)] == [True, False, False]


def test_its_threads_end_with_it() -> None:
    crew = Crew(2, name="passing")
    crew.do(lambda: None, patience=30)
    mine = [one for one in threading.enumerate() if one.name.startswith("passing_")]
    assert len(mine) == 2
    del crew
    gc.collect()
    for one in mine:
        one.join(30)
        assert not one.is_alive()
