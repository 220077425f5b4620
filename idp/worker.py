"""Upkeep: mail goes out, what has expired goes away, keys are rotated by age. It runs by itself.

Threads of every serving process do it, on any number of nodes at once: each job takes its work
by conditional statements, so that nothing is done twice.
"""

import logging
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread, main_thread
from time import monotonic
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from idp import measures
from idp.audit import Context
from idp.models import reading
from idp.services import client_words, group_sizes, person_words, pictures
from idp.services.cleanup import Places, clean_up
from idp.web import metrics
from idp.web.services import Services

TICK: Final = 0.5
"""Seconds between looks at the outbox: how long a mail waits at most, when all is well."""
LONGEST_PAUSE: Final = 60.0
"""Seconds after which a job that keeps failing is tried again."""
BATCHES: Final = 20
"""Of each table and round; the rest goes in the next."""
OVERLAP: Final = timedelta(hours=1)
FIGURES_EVERY: Final = 5.0
"""Seconds; less often than anybody would ask."""

_RANDOM: Final = secrets.SystemRandom()
_log = logging.getLogger(__name__)

Now = Callable[[], datetime]


@dataclass(slots=True)
class Job:
    """Something to do ``every`` so many seconds; ``due`` by the monotonic clock.

    Jobs of one ``lane`` wait for each other, and for nobody else.
    """

    name: str
    every: float
    work: Callable[[datetime], object]
    due: float = 0.0
    failures: int = 0
    lane: str = "upkeep"

    def next(self, *, failed: bool) -> None:
        """Set when it is due again: after failures later and later, and never all nodes at once."""
        self.failures = self.failures + 1 if failed else 0
        wait = self.every
        if failed:
            wait = max(wait, min(TICK * 2**self.failures, LONGEST_PAUSE))
        self.due = monotonic() + wait * _RANDOM.uniform(0.9, 1.1)


@dataclass(slots=True)
class Upkeep:
    """The jobs, and the threads that do them. ``in_context`` opens a database session for each."""

    services: Services
    in_context: Callable[[], AbstractContextManager[object]]
    jobs: list[Job] = field(default_factory=list)
    _ended: Event = field(default_factory=Event)
    _words_at: datetime | None = None
    _places: Places = field(default_factory=dict)

    def __post_init__(self) -> None:
        soon = monotonic() + _RANDOM.uniform(5, 60)
        self.jobs = [
            Job("outbox", TICK, self._deliver),
            # Other people's servers take their time, and mail shall not wait for them.
            Job("notices", TICK, self._notify, lane="notices"),
            Job("cleanup", 60, self._clean_up, due=soon),
            Job("leaving", 600, self._let_go, due=soon),
            Job("keys", 600, self._look_after_keys, due=soon),
            Job("words", 600, self._complete_words, due=soon),
            Job("groups", 3600, lambda _: group_sizes.mark(), due=soon),
        ]
        if measures.heard() is not None:
            self.jobs.append(Job("figures", FIGURES_EVERY, self._tell, lane="figures"))

    def start(self) -> None:
        """Begin, in threads that end with the process but finish what they are at."""
        for lane in dict.fromkeys(job.lane for job in self.jobs):
            Thread(target=self._run, args=(lane,), name=lane, daemon=False).start()

    def stop(self) -> None:
        """End after the job at hand."""
        self._ended.set()

    def _run(self, lane: str) -> None:
        # A process that is about to end waits for this thread: so it watches for that moment.
        while main_thread().is_alive() and not self._ended.wait(TICK):
            self.turn(lane)

    def turn(self, lane: str | None = None) -> None:
        """Do every job (of ``lane``) that is due; one that fails is logged, and tried later."""
        for job in self.jobs:
            if lane in (None, job.lane) and job.due <= monotonic():
                failed = not self._did(job)
                job.next(failed=failed)
                measures.upkeep(job.name, failed=failed)

    def _did(self, job: Job) -> bool:
        try:
            with self.in_context():
                job.work(self.services.clock())
        except SQLAlchemyError as error:
            # Never with the traceback: a statement's parameters may be worth keeping secret.
            _log.warning("upkeep %s: %s", job.name, type(getattr(error, "orig", error)).__name__)
            return False
        except Exception:
            _log.exception("upkeep %s failed", job.name)
            return False
        return True

    def _deliver(self, now: datetime) -> None:
        self.services.outbox.deliver_due(now)

    def _notify(self, now: datetime) -> None:
        self.services.notices_outbox.deliver_due(now)

    def _clean_up(self, now: datetime) -> None:
        removed = clean_up(now, at_most=BATCHES, places=self._places)
        if total := sum(removed.values()):
            _log.info("upkeep cleanup: %d rows", total)

    def _let_go(self, now: datetime) -> None:
        if gone := self.services.deletion.delete_due(now):
            _log.info("upkeep leaving: %d accounts", gone)
        if forgotten := self.services.client_registration.forget_unused(now):
            _log.info("upkeep leaving: %d applications that nobody used", forgotten)
        with reading():
            shown = self.services.changed_settings.logos()
        if unused := pictures.forget_unused(shown, now):
            _log.info("upkeep leaving: %d pictures that nothing shows", unused)

    def _complete_words(self, now: datetime) -> None:
        client_words.complete()
        # From an hour before the last time: clocks differ, and what is made takes its time.
        last = self._words_at or now - person_words.MISSED_FOR
        person_words.complete(last - OVERLAP)
        self._words_at = now

    def _tell(self, _now: datetime) -> None:
        metrics.in_this_process()

    def _look_after_keys(self, now: datetime) -> None:
        self.services.key_rotation.rotate_due(Context(at=now, actor_id="upkeep"))
        self.services.key_rotation.sweep(now)
