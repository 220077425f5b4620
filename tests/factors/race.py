"""The same call in two processes at the same moment, round after round."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import cycle, islice
from threading import Barrier
from typing import Any

from idp.factors import FACTORS
from idp.factors.base import Tools
from idp.models import db
from idp.web.services import Services
from tests.factors.storage import make_tools, storage
from tests.helpers.clock import FakeClock
from tests.helpers.processes import nodes

PROCESSES = 2
Attempt = Callable[[Tools, Any], bool]
"""A function of a module, from the tools and the round's argument to: did it succeed?"""

_barriers: list[Barrier] = []


class Racetrack:
    """Processes that wait for each other before every attempt."""

    def __init__(self, pool: ProcessPoolExecutor, barrier: Barrier) -> None:
        self._pool = pool
        self._barrier = barrier

    def run(self, attempt: Attempt, *lanes: Sequence[Any], url: str, key: str) -> list[int]:
        """How many processes succeeded, for each round.

        A lane holds one process's arguments, one a round; where there is one lane both run in it.
        """
        self._barrier.reset()
        runners = [
            self._pool.submit(_run, attempt, list(lane), url, key)
            for lane in islice(cycle(lanes), PROCESSES)
        ]
        results = [runner.result() for runner in runners]
        return [sum(outcomes) for outcomes in zip(*results, strict=True)]


@contextmanager
def racetrack() -> Iterator[Racetrack]:
    """Start the processes; they end with the block."""
    context = nodes()
    barrier = context.Barrier(PROCESSES, timeout=30)
    with ProcessPoolExecutor(
        PROCESSES, mp_context=context, initializer=_meet_at, initargs=(barrier,)
    ) as pool:
        yield Racetrack(pool, barrier)


@cache
def services_with(key: str) -> Services:
    """The program's services of one process, whose secrets are sealed with ``key``."""
    return Services(make_tools(key).settings, clock=FakeClock(), kinds=FACTORS)


def _meet_at(barrier: Barrier) -> None:
    _barriers.append(barrier)


def _run(attempt: Attempt, rounds: Sequence[Any], url: str, key: str) -> list[bool]:
    tools = make_tools(key)
    with storage(url):
        return [_once(attempt, tools, argument) for argument in rounds]


def _once(attempt: Attempt, tools: Tools, argument: Any) -> bool:
    _barriers[0].wait()
    succeeded = attempt(tools, argument)
    db.session.commit()
    db.session.remove()
    return succeeded
