"""How much is done at once, and for how long anybody waits for it: beyond that, ``Busy``.

A process has few places to work in, and hashing a password takes as long as hundreds of other
requests. So whoever hashes leaves its place to others, and takes one again afterwards.
"""

import os
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import local
from time import monotonic
from typing import Final, TypeVar

from idp import measures

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

    def step_aside(self) -> None:
        """Give it to the next, and come back for another later."""
        self.leave()


class Gate:
    """What takes long: so many do it at once, so many more wait, and nobody else."""

    def __init__(self, places: int, waiting: int, *, patience: float, name: str) -> None:
        self.name = name
        self._room = Places(places + waiting, name=name)
        self._at_rest = Places(places, name=name)
        self._sizes = (places, places + waiting)
        self._patience = patience

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
            with _Away(), measures.stage(self.name):
                return self._work(work)
        finally:
            self._room.leave()

    def _work(self, work: Callable[[], T]) -> T:
        since = monotonic()
        self._at_rest.enter(self._patience)
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


class _Away:
    """Out of this thread's place, if it has one; at the end it is in one again."""

    __slots__ = ("_left",)

    def __enter__(self) -> None:
        self._left: Places | None = getattr(_mine, "places", None)
        if self._left is not None:
            _mine.places = None
            self._left.step_aside()

    def __exit__(self, *_error: object) -> None:
        if self._left is not None:
            # Whoever has done the work that takes longest is not turned away for what is left.
            self._left.enter(patience=_ALWAYS)
            _mine.places = self._left


_ALWAYS: Final = 3600.0
_gates: dict[str, Gate] = {}
# Who was at work when a process was forked is not at work in the new one.
os.register_at_fork(after_in_child=_gates.clear)


def gate(name: str, places: int, waiting: int, *, patience: float) -> Gate:
    """The process's gate of this name and size: it is the machine that is bounded."""
    key = f"{name} {places} {waiting}"
    if key not in _gates:
        # One step for all threads: of two that come at once, both get the same. Without a lock,
        # since one that is held when the process forks would be held in the new one for ever.
        return _gates.setdefault(key, Gate(places, waiting, patience=patience, name=name))
    return _gates[key]


def gates() -> tuple[Gate, ...]:
    """Every gate of this process."""
    return tuple(_gates.values())
