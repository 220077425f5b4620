"""Threads that take turns: one at the queue, and always one, whatever the others do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event, Thread
from time import sleep

import pytest

from idp.capacity import Gate, worked_on
from idp.cli.server import IDLE
from idp.web.relay import LONGEST_WAIT, LOOKS, QUICK, SELDOM, SHORT_WAIT, Relay

SOON = 30
"""Seconds: far more than any of this takes."""

Work = Callable[[], object]


class Server:
    """A queue and threads that serve it, as the production server has them."""

    def __init__(self, relay: Relay, threads: int) -> None:
        self.relay = relay
        self.queue: SimpleQueue[tuple[Work, Work, Event]] = SimpleQueue()
        self.threads = [Thread(target=self._serve, daemon=True) for _ in range(threads)]
        self.at_queue = 0
        for one in self.threads:
            one.start()

    def _serve(self) -> None:
        while True:
            self.at_queue += 1
            receive, work, done = self.queue.get()
            self.at_queue -= 1
            self.relay.begin()
            receive()
            with worked_on(self.relay):
                work()
            done.set()
            self.relay.rest()

    def ask(self, work: Work, *, receive: Work = lambda: None) -> Event:
        """Have it done, once it was received; what is returned tells when it is."""
        done = Event()
        self.queue.put((receive, work, done))
        return done


@contextmanager
def serving(threads: int = 4, *, longest_wait: float = 240) -> Iterator[Server]:
    """With everybody but one at rest."""
    relay = Relay(threads, name="request", longest_wait=longest_wait)
    server = Server(relay, threads)
    for _round in range(threads):  # whoever has served once rests, unless it is its turn
        together = [server.ask(lambda: sleep(2 * QUICK)) for _ in range(threads)]
        for one in together:
            assert one.wait(SOON)
    until(lambda: server.at_queue <= 1)
    relay.watch()
    yield server


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    for _ in range(SOON * 200):
        if is_so():
            return
        sleep(0.005)
    raise AssertionError("it never came to that")


def test_one_thread_serves_what_is_quick() -> None:
    with serving() as server:
        for _ in range(50):
            assert server.ask(lambda: None).wait(SOON)
        until(lambda: server.at_queue == 1)


def test_while_one_waits_for_long_another_goes_for_the_next_request() -> None:
    with serving() as server:
        end = Event()
        long_one = server.ask(lambda: end.wait(SOON))
        assert server.ask(lambda: None).wait(SOON)
        assert not long_one.is_set()
        end.set()
        assert long_one.wait(SOON)


def test_who_is_slow_to_send_holds_nobody_up() -> None:
    with serving() as server:
        end = Event()
        slow_one = server.ask(lambda: None, receive=lambda: end.wait(SOON))
        assert server.ask(lambda: None).wait(SOON)
        assert not slow_one.is_set()
        end.set()
        assert slow_one.wait(SOON)


def test_all_but_one_may_wait_for_long() -> None:
    with serving(4) as server:
        end = Event()
        long_ones = [server.ask(lambda: end.wait(SOON)) for _ in range(3)]
        for _ in range(5):
            assert server.ask(lambda: None).wait(SOON)
        end.set()
        assert all(one.wait(SOON) for one in long_ones)


def unwatched(threads: int) -> Server:
    """With everybody but one at rest, and nobody who looks after a while."""
    server = Server(Relay(threads, name="request"), threads)
    crowd = [server.ask(lambda: sleep(4 * QUICK)) for _ in range(threads)]
    assert all(one.wait(SOON) for one in crowd)
    until(lambda: server.at_queue == 1)
    return server


@pytest.mark.parametrize("hashing", [1, 2], ids=["hashes", "and one waits to"])
def test_who_hashes_leaves_the_queue_to_another_at_once(hashing: int) -> None:
    gate = Gate(1, 1, patience=SOON, name="hash")
    server, end = unwatched(hashing + 1), Event()
    busy = [server.ask(lambda: gate.do(lambda: end.wait(SOON))) for _ in range(hashing)]
    until(lambda: gate.waiting == hashing - 1 and gate.working == 1)
    assert server.ask(lambda: None).wait(SOON)
    assert not any(one.is_set() for one in busy)
    end.set()
    assert all(one.wait(SOON) for one in busy)


def test_who_has_hashed_does_not_go_to_the_queue_as_well() -> None:
    """Or two threads work by turns from then on, and each finds the caches full of the other's."""
    gate = Gate(1, 1, patience=SOON, name="hash")
    server = unwatched(2)
    for _ in range(5):
        assert server.ask(lambda: gate.do(lambda: sleep(QUICK))).wait(SOON)
        until(lambda: server.at_queue == 1)
        assert server.ask(lambda: None).wait(SOON)


def test_after_a_calm_somebody_looks_again() -> None:
    with serving() as server:
        sleep(LOOKS * SELDOM * 1.5)
        end = Event()
        server.ask(lambda: end.wait(SOON))
        assert server.ask(lambda: None).wait(SOON)
        end.set()


class Hand:
    """A thread that does what it is told."""

    def __init__(self) -> None:
        self._todo: SimpleQueue[tuple[tuple[Work, ...], Event]] = SimpleQueue()
        Thread(target=self._work_off, daemon=True).start()

    def _work_off(self) -> None:
        while True:
            works, done = self._todo.get()
            for work in works:
                work()
            done.set()

    def do(self, *works: Work) -> Event:
        """What is returned tells when all is done."""
        done = Event()
        self._todo.put((works, done))
        return done


def test_two_at_the_queue_that_are_slow_after_a_calm_are_seen() -> None:
    """One takes the baton from the other, which is then not its holder when it comes as well."""
    relay, end = Relay(3, name="request"), Event()
    first, second, third = Hand(), Hand(), Hand()
    assert first.do(relay.rest).wait(SOON)  # it has the baton
    assert second.do(relay.go_back).wait(SOON)  # and has something left to do there
    rested = third.do(relay.rest)
    until(lambda: bool(relay._resting))
    relay.watch()
    until(lambda: relay._dozing)
    second.do(relay.begin, relay.enter, lambda: end.wait(SOON))
    until(lambda: relay.free == 2)
    first.do(relay.begin, relay.enter, lambda: end.wait(SOON))
    until(lambda: relay.free == 1)
    assert rested.wait(SOON / 2)
    end.set()


def test_no_thread_ends_before_another_has_joined_it() -> None:
    """While nobody asks, it is looked every quarter of that time who waits for how long."""
    assert SHORT_WAIT < LONGEST_WAIT * 1.25 < IDLE


def test_who_waits_for_very_long_is_joined_by_another() -> None:
    """The server ends threads that are idle: it must not be the only one that waits."""
    with serving(longest_wait=0.2) as server:
        until(lambda: server.at_queue >= 2)


def test_a_thread_that_has_more_to_do_goes_back_at_once() -> None:
    relay = Relay(1, name="request")
    relay.enter()
    relay.leave()
    relay.go_back()
    returned = Event()

    def other() -> None:
        relay.go_back()
        returned.set()

    Thread(target=other).start()
    assert returned.wait(SOON)


@pytest.mark.parametrize("threads", [2, 5])
def test_nothing_is_left_in_the_queue(threads: int) -> None:
    """Quick and slow ones, those that hash and those that fail to be quick by a little."""
    gate = Gate(2, 50, patience=SOON, name="hash")
    kinds: list[Work] = [
        lambda: None,
        lambda: sleep(QUICK),
        lambda: gate.do(lambda: sleep(QUICK / 2)),
        lambda: sum(range(2000)),
        lambda: sleep(QUICK * 1.2),
    ]
    with serving(threads) as server:
        asked = [server.ask(kinds[n % len(kinds)]) for n in range(200)]
        assert all(one.wait(SOON) for one in asked)
        for n in range(20):  # and one after the other
            assert server.ask(kinds[n % len(kinds)]).wait(SOON)
