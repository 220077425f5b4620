"""Spans: part of the caller's trace, a stage in each, and nothing in them that signs in."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from idp import logs, measures
from idp.tracing import Tracer
from tests.helpers.clock import FakeClock
from tests.helpers.house import PASSWORD, House
from tests.helpers.sign_in import sign_in

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Drawn:
    """What was drawn so far."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        self.tracer = Tracer(self._kept)

    def spans(self) -> list[ReadableSpan]:
        self.tracer.provider.force_flush()
        return list(self._kept.get_finished_spans())


@pytest.fixture
def drawn() -> Iterator[Drawn]:
    made = Drawn()
    measures.trace(made.tracer)
    yield made
    measures.trace(None)
    made.tracer.provider.shutdown()


@pytest.fixture
def line() -> Iterator[StringIO]:
    """What the log of this test's requests is written to."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(trace_id)s", defaults={"trace_id": "none"}))
    handler.addFilter(logs.Identified())
    log = logging.getLogger("idp.access")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield written
    log.removeHandler(handler)
    log.setLevel(level)


def test_a_request_is_part_of_its_callers_trace(
    drawn: Drawn, sqlite_url: str, clock: FakeClock, line: StringIO
) -> None:
    house = House(sqlite_url, clock)
    house.http().get("/healthz", headers={"traceparent": TRACEPARENT})
    (span,) = drawn.spans()
    assert span.parent is not None
    assert span.context is not None
    assert format(span.context.trace_id, "032x") == TRACE
    assert format(span.parent.span_id, "016x") == PARENT
    assert span.name == "GET /healthz"
    assert dict(span.attributes or {})["http.response.status_code"] == 200
    assert span.resource.attributes["service.name"] == "gatehouse"
    assert line.getvalue() == f"{TRACE}\n"


def test_a_sign_in_is_drawn_with_its_stages_and_without_its_secrets(
    drawn: Drawn, sqlite_url: str, clock: FakeClock
) -> None:
    house = House(sqlite_url, clock)
    alice, shop, agent = house.person(), house.client(), house.browser()
    callback = sign_in(
        agent, shop.authorization_url(), username=alice.email, password=alice.password
    )
    tokens = shop.finish(callback)
    spans = drawn.spans()
    by_id = {one.context.span_id: one.name for one in spans if one.context}
    stages = {(one.name, by_id.get(one.parent.span_id)) for one in spans if one.parent}
    assert ("hash", "POST /login/<transaction_id>/<method>") in stages
    assert ("sign", "POST /oauth/token") in stages
    told = json.dumps([json.loads(one.to_json()) for one in spans])
    secrets = [PASSWORD, callback.parameters["code"], tokens.access_token, alice.email]
    assert [one for one in secrets if one in told] == []


GIVEN = {
    "as it should be": (TRACEPARENT, TRACE),
    "a later version, which may say more": (f"cc-{TRACE}-{PARENT}-01-more", TRACE),
    "the version that there is never": (f"ff-{TRACE}-{PARENT}-01", "none"),
    "no trace": (f"00-{'0' * 32}-{PARENT}-01", "none"),
    "no parent": (f"00-{TRACE}-{'0' * 16}-01", "none"),
    "capitals": (f"00-{TRACE.upper()}-{PARENT}-01", "none"),
    "something else": ("x" * 5000, "none"),
    "nothing": ("", "none"),
}


@pytest.mark.parametrize(("given", "logged"), GIVEN.values(), ids=GIVEN)
def test_the_log_names_the_trace_without_anybody_who_draws(
    sqlite_url: str, clock: FakeClock, line: StringIO, given: str, logged: str
) -> None:
    House(sqlite_url, clock).http().get("/healthz", headers={"traceparent": given})
    assert line.getvalue() == f"{logged}\n"
