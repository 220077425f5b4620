"""The numbers under their outside names, in Prometheus' format; over all workers of a node.

With more than one worker each writes into files of its own in ``PROMETHEUS_MULTIPROC_DIR``, and
whichever is asked reads them all (that is ``prometheus_client``'s way); with one there are none.
Imported only where somebody wants the numbers: a process that does not, does not pay for them.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from idp.measures import Found

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where it is set the library keeps its values in files there; it has to be set before it loads."""

REQUEST_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
STAGE_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
OUTCOMES: Final = ("accepted", "refused", "throttled")
"""Of a try: ``login.<method>.<outcome>``. What else happens to a link is none."""


class Figures:
    """Counts and times; a ``measures.Listener``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self.requests = counter(
            "idp_requests", "Requests answered.", ("endpoint", "method", "status")
        )
        self.request_seconds = histogram(
            "idp_request_seconds",
            "Time to answer a request.",
            ("endpoint",),
            buckets=REQUEST_SECONDS,
        )
        self.stages = histogram(
            "idp_stage_seconds",
            "Time in one stage of a request; database: all statements of a request together.",
            ("stage",),
            buckets=STAGE_SECONDS,
        )
        self.sign_ins = counter(
            "idp_sign_ins", "Proofs that were given at sign-in.", ("method", "outcome")
        )
        self.step_ups = counter(
            "idp_step_ups", "Requests for more than a session showed.", ("outcome",)
        )
        self.events = counter("idp_audit_events", "Events written to the audit log.", ("event",))
        self.errors = counter("idp_errors", "Errors told to clients, by code.", ("error",))
        self.busy = counter("idp_turned_away", "Turned away for want of room.", ("where",))
        self.jobs = counter("idp_upkeep_runs", "Upkeep done.", ("task", "outcome"))
        self.gauges = _gauges(self.registry)

        # The library looks labels up under a lock: too dear for what every request does.
        self._of_request = cache(self._child_of_request)
        self._of_stage = cache(self.stages.labels)

    def _child_of_request(self, *labels: str) -> tuple[Counter, Histogram]:
        endpoint, *_others = labels
        return self.requests.labels(*labels), self.request_seconds.labels(endpoint)

    def request(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """One more, in so many seconds."""
        count, times = self._of_request(endpoint, method, str(status))
        count.inc()
        times.observe(seconds)

    def stage(self, name: str, seconds: float) -> None:
        """Once more, in so many seconds."""
        self._of_stage(name).observe(seconds)

    def event(self, name: str) -> None:
        """One more; a sign-in and a step-up are counted as such, too."""
        self.events.labels(name).inc()
        subject, *rest = name.split(".")
        if subject == "login" and rest[-1] in OUTCOMES:
            self.sign_ins.labels(*rest).inc()
        elif subject == "step_up":
            self.step_ups.labels(rest[-1]).inc()

    def error(self, code: str) -> None:
        self.errors.labels(code).inc()
        if code == "unmet_authentication_requirements":
            self.step_ups.labels("unmet").inc()

    def turned_away(self, where: str) -> None:
        self.busy.labels(where).inc()

    def upkeep(self, job: str, *, failed: bool) -> None:
        self.jobs.labels(job, "failed" if failed else "done").inc()

    def gauge(self, name: str, value: float, *labels: str) -> None:
        """How much there is of something in this process, now."""
        gauge = self.gauges[name]
        (gauge.labels(*labels) if labels else gauge).set(value)

    def exposed(self, found: Iterable[Found]) -> bytes:
        """What Prometheus reads: the figures of every worker, and what was looked up now."""
        counted, looked = self.registry, CollectorRegistry()
        if folder := os.environ.get(FOLDER):
            _forget_the_dead(Path(folder))
            counted = CollectorRegistry()
            MultiProcessCollector(counted, folder)  # type: ignore[no-untyped-call]
        looked.register(_Looked(found))
        return generate_latest(counted) + generate_latest(looked)


GAUGES: Final = {
    "idp_hashing": ("Password hashes at work and waiting.", ("state",)),
    "idp_pool_connections": ("Connections to the database.", ("state",)),
    "idp_worker_memory_bytes": ("Resident memory of the workers.", ()),
}


def _gauges(registry: CollectorRegistry) -> dict[str, Gauge]:
    """Of all workers that live, together."""
    return {
        name: Gauge(name, told, labels, multiprocess_mode="livesum", registry=registry)
        for name, (told, labels) in GAUGES.items()
    }


class _Looked(Collector):
    """What was looked up, as the library takes it."""

    def __init__(self, found: Iterable[Found]) -> None:
        self._found = tuple(found)

    def collect(self) -> Iterable[Metric]:
        """A family for each name, with a sample for each set of labels."""
        by_name: dict[str, GaugeMetricFamily] = {}
        for one in self._found:
            names = list(one.labels)
            family = by_name.setdefault(
                one.name, GaugeMetricFamily(one.name, one.told, labels=names)
            )
            family.add_metric(list(one.labels.values()), one.value)
        return by_name.values()


def _forget_the_dead(folder: Path) -> None:
    """What a worker had that is no more is nobody's; what it has counted stays counted."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            with suppress(FileNotFoundError):
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
