"""Whoever stops the workers waits until each has ended, and knows it."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, sleep

import pytest
from granian.server.mp import WorkerProcess

from idp.cli.server import _join_for_sure


class Child(WorkerProcess):
    """Granian's own, which a thread of its own waits for as well."""

    def __init__(self, seconds: float) -> None:
        self.inner = multiprocessing.get_context("fork").Process(target=sleep, args=(seconds,))
        self.interrupt_by_parent = True

    def start(self) -> None:
        self.inner.start()
        Thread(target=self.inner.join, daemon=True).start()


@contextmanager
def others_at_work(count: int) -> Iterator[None]:
    """Threads that take the interpreter's lock whenever they can."""
    done = Event()

    def work() -> None:
        while not done.is_set():
            sum(range(1000))

    threads = [Thread(target=work) for _ in range(count)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        done.set()
        for one in threads:
            one.join()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_what_has_ended_is_known_to_have() -> None:
    """By Granian's own, one of five was seen as alive, and killed."""
    seen = []
    with others_at_work(4):
        for _ in range(30):
            child = Child(0.01)
            child.start()
            _join_for_sure(child.is_alive, child.join, 10)
            seen.append(child.is_alive())
    assert not any(seen)


def test_nobody_waits_for_ever() -> None:
    child = Child(30)
    child.start()
    began = monotonic()
    _join_for_sure(child.is_alive, child.join, 0.2)
    assert child.is_alive()
    assert monotonic() - began < 10
    child.kill()
    _join_for_sure(child.is_alive, child.join, 10)
    assert not child.is_alive()
