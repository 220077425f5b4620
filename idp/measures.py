"""What is worth counting and timing, told by those who do it, to whoever listens, if anybody.

Nobody does until ``listen``: then each call here is one comparison. What the numbers are called
outside, and what counts them, is in ``idp/exposition.py``.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import local
from time import perf_counter
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Found:
    """How much there is of something, looked up when it is asked for."""

    name: str
    told: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class Listener(Protocol):
    """Whoever counts. Times are seconds."""

    def request(self, endpoint: str, method: str, status: int, seconds: float) -> None: ...

    def stage(self, name: str, seconds: float) -> None: ...

    def event(self, name: str) -> None: ...

    def error(self, code: str) -> None: ...

    def turned_away(self, where: str) -> None: ...

    def upkeep(self, job: str, *, failed: bool) -> None: ...

    def gauge(self, name: str, value: float, *labels: str) -> None: ...

    def exposed(self, found: Iterable[Found]) -> bytes: ...


class Spans(Protocol):
    """Whoever draws the stages of a request: a tracer."""

    def span(self, name: str) -> AbstractContextManager[object]: ...

    def request(self, name: str, headers: Mapping[str, str]) -> AbstractContextManager[object]: ...

    def tell(self, values: Mapping[str, str | int]) -> str: ...


class _Nobody:
    listener: Listener | None = None
    spans: Spans | None = None


_heard = _Nobody()
_asked = local()
"""``database``: the seconds this thread has waited for the database since the request began."""


def listen(listener: Listener | None) -> None:
    """From now on tell this one, in this process."""
    _heard.listener = listener


def heard() -> Listener | None:
    """Who is told, in this process; None: nobody."""
    return _heard.listener


def trace(spans: Spans | None) -> None:
    """From now on have stages drawn by this one."""
    _heard.spans = spans


def drawn() -> Spans | None:
    """Who draws, in this process; None: nobody."""
    return _heard.spans


def request(endpoint: str, method: str, status: int, seconds: float) -> None:
    """A request was answered; ``endpoint`` is a name of ours, never an address."""
    if _heard.listener is not None:
        _heard.listener.request(endpoint, method, status, seconds)


def event(name: str) -> None:
    """Something was written into the audit log."""
    if _heard.listener is not None:
        _heard.listener.event(name)


def error(code: str) -> None:
    """A client was refused, with a registered code."""
    if _heard.listener is not None:
        _heard.listener.error(code)


def turned_away(where: str) -> None:
    """There was no room."""
    if _heard.listener is not None:
        _heard.listener.turned_away(where)


def upkeep(job: str, *, failed: bool) -> None:
    """A job in the background was done, or was not."""
    if _heard.listener is not None:
        _heard.listener.upkeep(job, failed=failed)


def stage(name: str) -> AbstractContextManager[object]:
    """Time what is done within, as a stage of whatever it is part of."""
    if _heard.listener is None and _heard.spans is None:
        return _UNTIMED
    return _Timed(name)


_UNTIMED: AbstractContextManager[object] = nullcontext()


class _Timed:
    """Not a generator: that costs more than what is timed, where it is a signature."""

    __slots__ = ("_began", "_name", "_span")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        spans = _heard.spans
        self._span = spans.span(self._name) if spans is not None else _UNTIMED
        self._began = perf_counter()
        self._span.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._span.__exit__(*error)
        took(self._name, perf_counter() - self._began)


def took(name: str, seconds: float) -> None:
    """A stage has taken so long."""
    if _heard.listener is not None:
        _heard.listener.stage(name, seconds)


def waited_for_database(seconds: float) -> None:
    """A statement has taken so long; a request's are told together, by ``ended``."""
    _asked.database = getattr(_asked, "database", 0.0) + seconds


def began() -> None:
    """A request begins in this thread."""
    _asked.database = 0.0


def ended() -> None:
    """It ends: tell for how long it has waited for the database, if it has."""
    if seconds := getattr(_asked, "database", 0.0):
        took("database", seconds)
