"""A few threads that do what takes long, for threads that wait for it."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar
from weakref import finalize

T = TypeVar("T")


class NotBegun(Exception):
    """Nobody was free in time: nothing was done."""


class _Task(Generic[T]):
    """Something to do, once: whoever takes it does it, or gives it up."""

    __slots__ = ("_free", "answer", "work")

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.answer: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
        self._free = [True]

    def take(self) -> bool:
        """Is it the caller's now? Of two that ask at once, one's."""
        try:
            return self._free.pop()
        except IndexError:
            return False

    def do(self) -> None:
        try:
            self.answer.put((self.work(), None))
        except BaseException as error:  # the waiting thread's to handle, whatever it is
            self.answer.put((None, error))


class Crew:
    """Always the same ``size`` threads, which end with it.

    What the library's executor does for a result costs as much as all else that a request waits
    for, and is written in Python; these queues are C.
    """

    def __init__(self, size: int, *, name: str) -> None:
        self._todo: SimpleQueue[_Task[Any] | None] = SimpleQueue()
        for number in range(size):
            Thread(
                target=_work_off, args=(self._todo,), name=f"{name}_{number}", daemon=True
            ).start()
        finalize(self, _dismiss, self._todo, size)

    def do(self, work: Callable[[], T], *, patience: float) -> T:
        """What ``work`` returns or raises. Raises ``NotBegun`` after ``patience`` seconds in which
        nobody began."""
        task = _Task(work)
        self._todo.put(task)
        try:
            found, error = task.answer.get(timeout=patience)
        except Empty:
            if task.take():
                raise NotBegun from None
            found, error = task.answer.get()
        if error is not None:
            try:
                raise error
            finally:
                del error  # or it would hold this frame, which holds it
        return found  # type: ignore[return-value]  # None only where work returns that


def _work_off(todo: "SimpleQueue[_Task[Any] | None]") -> None:
    while (task := todo.get()) is not None:
        if task.take():
            task.do()
        del task  # what it holds is not to stay until the next one comes


def _dismiss(todo: "SimpleQueue[_Task[Any] | None]", size: int) -> None:
    for _one in range(size):
        todo.put(None)
