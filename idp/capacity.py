"""How much is done at once, and for how long anybody waits for it: beyond that, ``Busy``.

A process has few threads, and hashing a password takes as long as hundreds of other requests. So
whoever hashes leaves the place in which it worked to others, and takes one again afterwards.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, get_ident, local
from time import monotonic
from typing import Final, TypeVar

from idp import measures
from idp.crew import Crew, NotBegun

T = TypeVar("T")

RETRY_AFTER: Final = 2
"""Seconds after which whoever was turned away may well be let in."""
PATIENCE: Final = 10.0
"""Seconds that a request waits for a place to be worked on."""


class Busy(Exception):
    """No place became free in time. Nothing was done, and another try is safe."""

    def __init__(self, where: str) -> None:
        super().__init__(f"too much at once: {where}")
        self.where = where


class Places:
    """So many at once, first come, first served. ``name`` is what measures call it."""

    def __init__(self, count: int, *, name: str) -> None:
        # A queue of tokens: unlike threading's semaphores it is C, and costs next to nothing.
        self._free: SimpleQueue[None] = SimpleQueue()
        self._name = name
        for _place in range(count):
            self._free.put(None)

    @property
    def free(self) -> int:
        """How many could enter at once."""
        return self._free.qsize()

    def enter(self, patience: float = PATIENCE) -> None:
        """Take a place, or wait for one, ``patience`` seconds at most. Raises ``Busy``."""
        try:
            self._free.get(timeout=patience) if patience else self._free.get_nowait()
        except Empty:
            measures.turned_away(self._name)
            raise Busy(self._name) from None

    def leave(self) -> None:
        """Give it to the next."""
        self._free.put(None)

    def step_aside(self, thread: int) -> None:
        """Give the place of that ``thread`` to the next; it comes back for another."""
        self.leave()


class Gate:
    """Threads that do what takes long: so many at once, so many more that wait, nobody else.

    They are always the same few, so that the memory which the work takes is theirs and stays with
    them: C libraries keep what was freed for the thread that had it, and a flood that hashed in
    all threads in turn was seen to cost eight times as much (and each hash a third more time,
    where the memory is given back instead).
    """

    def __init__(self, places: int, waiting: int, *, patience: float, name: str) -> None:
        self.name = name
        self._room = Places(places + waiting, name=name)
        self._at_rest = Places(places, name=name)
        self._sizes = (places, places + waiting)
        self._patience = patience
        self._crew = Crew(places, name=name)

    @property
    def full(self) -> bool:
        """Would whoever comes now be turned away?"""
        return self._room.free == 0

    @property
    def working(self) -> int:
        """How many work."""
        return self._sizes[0] - self._at_rest.free

    @property
    def waiting(self) -> int:
        """How many wait until somebody has done."""
        return max(0, self._sizes[1] - self._room.free - self.working)

    def do(self, work: Callable[[], T]) -> T:
        """What ``work`` returns. Meanwhile the place for requests is somebody else's.

        Raises ``Busy`` when there is no room to wait, or it was waited ``patience`` seconds for.
        """
        self._room.enter(patience=0)
        try:
            with _away() as leave, measures.stage(self.name):
                if not self._at_rest.free:
                    leave()
                begin = partial(self._work, work, monotonic(), leave)
                return self._crew.do(begin, patience=self._patience)
        except NotBegun:
            measures.turned_away(self.name)
            raise Busy(self.name) from None
        finally:
            self._room.leave()

    def _work(self, work: Callable[[], T], since: float, leave: Callable[[], None]) -> T:
        # Not before there is somebody to work: whoever that wakes would find the interpreter's
        # lock taken, by the one that asked and by this one.
        leave()
        self._at_rest.enter()
        try:
            measures.took(f"{self.name}_wait", monotonic() - since)
            return work()
        finally:
            self._at_rest.leave()


_mine = local()
"""``places``: where this thread works at a request."""


class worked_on:
    """A request in one of ``places``. Raises ``Busy``."""

    __slots__ = ("_places",)

    def __init__(self, places: Places) -> None:
        self._places = places

    def __enter__(self) -> None:
        self._places.enter()
        _mine.places = self._places

    def __exit__(self, *_error: object) -> None:
        held, _mine.places = _mine.places, None
        if held is not None:
            held.leave()


@contextmanager
def _away() -> Iterator[Callable[[], None]]:
    """What leaves this thread's place, from whichever thread; at the end it is in one again."""
    places: Places | None = getattr(_mine, "places", None)
    if places is None:
        yield _stay
        return
    _mine.places = None
    left = _Leaving(places)
    try:
        yield left
    finally:
        left()
        # Whoever has done the work that takes longest is not turned away for what is left of it.
        places.enter(patience=_ALWAYS)
        _mine.places = places


class _Leaving:
    """A place that is left, once. Nobody calls it while another does."""

    __slots__ = ("_places", "_thread")

    def __init__(self, places: Places) -> None:
        self._places: Places | None = places
        self._thread = get_ident()

    def __call__(self) -> None:
        places, self._places = self._places, None
        if places is not None:
            places.step_aside(self._thread)


def _stay() -> None:
    """There is nothing to leave."""


_ALWAYS: Final = 3600.0
_gates: dict[str, Gate] = {}
_making = Lock()
# Threads are not there in a process that was forked: it shall make its own.
os.register_at_fork(after_in_child=_gates.clear)


def gate(name: str, places: int, waiting: int, *, patience: float) -> Gate:
    """The process's gate of this name and size: it is the machine that is bounded."""
    key = f"{name} {places} {waiting}"
    with _making:
        if key not in _gates:
            _gates[key] = Gate(places, waiting, patience=patience, name=name)
        return _gates[key]


def gates() -> tuple[Gate, ...]:
    """Every gate of this process."""
    return tuple(_gates.values())
