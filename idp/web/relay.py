"""Threads in turn: one goes for the next request and works on it, while the others rest.

Threads that compute at once take nothing but the interpreter's lock from each other, and what each
had in the processor's caches: that was seen to cost half as much again. So whoever has the baton is
the only one that waits at the server's queue, and goes there again once it has answered; meanwhile
requests wait where they cost nothing. Only whoever is at a request for longer than ``QUICK`` is
waiting itself (for a lock in the database, for a server elsewhere, for a slow client): then the
baton is somebody else's. It is the pattern of leader and followers (Schmidt et al., POSA 2).

The server has to say when a thread comes with a request (``begin``) and when it has sent the answer
(``rest``); where it does not, threads work in turn all the same.
"""

from threading import Event, Lock, Thread, get_ident
from time import monotonic, sleep
from typing import Final

from idp.capacity import PATIENCE, Places

QUICK: Final = 0.005
"""Seconds; the interpreter lets a thread compute for as long."""
SELDOM: Final = 4 * QUICK
"""Seconds from one look to the next while every request is quick: each look interrupts one."""
LOOKS: Final = 50
"""How often in a row nothing is going on until nobody looks any more."""
LONGEST_WAIT: Final = 240.0
"""Seconds at the queue after which somebody else goes there as well: the server ends threads that
have been idle for longer, and one that ends must not be the only one that waits."""
SHORT_WAIT: Final = 5.0
"""Seconds at the queue up to which it is certain that a thread is still there."""


class _Turn:
    """Somebody who waits for the baton."""

    __slots__ = ("_lock", "thread")

    def __init__(self) -> None:
        self.thread = get_ident()
        self._lock = Lock()
        self._lock.acquire()

    def give(self) -> None:
        """It is theirs."""
        self._lock.release()

    def wait(self, seconds: float = -1) -> bool:
        """Was it given, in time?"""
        return self._lock.acquire(timeout=seconds)


class Relay(Places):
    """Places in which one works after the other, as long as each is quick."""

    def __init__(self, count: int, *, name: str, longest_wait: float = LONGEST_WAIT) -> None:
        super().__init__(count, name=name)
        self._longest_wait = longest_wait
        self._changing = Lock()
        self._holder: int | None = None
        self._since: float | None = None
        """When the holder came with a request; None while it waits for one."""
        self._at_queue = monotonic()
        """Since when it does, if it does."""
        self._there: set[int] = set()
        """Who waits at the queue, or is on the way there."""
        self._left: tuple[int, float] | None = None
        """From whom the baton was taken there, and since when they wait."""
        self._with_request: list[_Turn] = []
        self._resting: list[_Turn] = []  # the last one first: its memory is still in the caches
        self._dozing = False
        self._bell = Event()

    # Nothing here but what changes hands takes the lock: each look at one of these is whole.

    def begin(self) -> None:
        """This thread comes with a request."""
        self._there.discard(get_ident())
        if self._holder == get_ident():
            self._since = monotonic()
            self._ring()

    def enter(self, patience: float = PATIENCE) -> None:
        """Take a place, and the baton, from whoever has it for too long. Raises ``Busy``."""
        super().enter(patience)
        if self._holder == get_ident():
            self._since = monotonic()
        elif not self._free_to_take():
            self._wait_with_request()

    def leave(self) -> None:
        """Give the place to the next, and the baton to who has a request in hand already."""
        if self._holder == get_ident():
            self._since, self._at_queue = None, monotonic()
            if self._with_request:
                self._hand_over()
        super().leave()

    def step_aside(self) -> None:
        """Leave for a while: the baton is for who can go on with it at once."""
        if self._holder == get_ident():
            self._hand_over()
        super().leave()

    def rest(self) -> None:
        """The answer was sent: keep the baton, or rest until it comes."""
        with self._changing:
            if self._holder in (None, get_ident()) and not self._give_back():
                self._take()
                self._there.add(get_ident())
                return
            turn = _Turn()
            self._resting.append(turn)
        turn.wait()

    def go_back(self) -> None:
        """To the queue, with the baton or without, as there is something left to do there."""
        self._there.add(get_ident())
        if self._holder == get_ident():
            self._since, self._at_queue = None, monotonic()

    def watch(self) -> None:
        """From now on see to it that somebody goes for the next request, whoever is at work."""
        Thread(target=self._watch, name="relay", daemon=True).start()

    def _free_to_take(self) -> bool:
        """Take the baton from who waits at the queue with it, or from nobody."""
        with self._changing:
            if self._since is not None:
                return False
            self._left = (self._holder, self._at_queue) if self._holder is not None else None
            self._take(working=True)
        return True

    def _wait_with_request(self) -> None:
        turn = _Turn()
        self._with_request.append(turn)
        if self._since is not None:  # or who had it left meanwhile, before it could see us
            turn.wait(QUICK)
        with self._changing:
            if turn in self._with_request:
                self._with_request.remove(turn)
            self._take(working=True)

    def _take(self, *, working: bool = False) -> None:
        now = monotonic()
        self._holder, self._since, self._at_queue = get_ident(), now if working else None, now
        if working:
            self._ring()

    def _ring(self) -> None:
        """There is a request: somebody has to look how long it takes."""
        if self._dozing:
            self._dozing = False
            self._bell.set()

    def _hand_over(self) -> None:
        """To the first in line with a request, to whoever is at the queue, or to the last who came
        to rest."""
        with self._changing:
            self._holder = self._since = None
            if self._with_request:
                turn = self._with_request.pop(0)
                self._since = monotonic()
            elif self._give_back() or not self._resting:
                return
            else:
                turn = self._resting.pop()
                self._there.add(turn.thread)
            self._holder, self._at_queue = turn.thread, monotonic()
            turn.give()

    def _give_back(self) -> bool:
        """To whom it was taken from, if they still wait at the queue: that wakes nobody."""
        left, self._left = self._left, None
        if left is None:
            return False
        thread, since = left
        if thread not in self._there or monotonic() - since > SHORT_WAIT:
            return False
        self._holder, self._since, self._at_queue = thread, None, since
        if thread not in self._there:  # it came with a request, and did not see yet whose it is
            self._since = monotonic()
        return True

    def _watch(self) -> None:
        calm, pause = 0, QUICK
        while True:
            if calm < LOOKS:
                sleep(pause)
            elif self._was_woken():
                calm = 0
            calm = calm + 1 if self._since is None else 0
            pause = min(pause * 2, SELDOM)
            if self._resting and self._is_long_gone():
                self._hand_over()
                pause = QUICK

    def _was_woken(self) -> bool:
        """Doze until a request comes, or it is time to look at who waits for one."""
        self._bell.clear()
        self._dozing = True
        return self._since is not None or self._bell.wait(self._longest_wait / 4)

    def _is_long_gone(self) -> bool:
        since, now = self._since, monotonic()
        return now - self._at_queue > self._longest_wait if since is None else now - since > QUICK
