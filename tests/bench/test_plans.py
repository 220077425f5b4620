"""Every statement of what is measured finds its rows by an index, however many there are."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from idp.models import db
from tests.bench.actor import Actor
from tests.bench.operations import OPERATIONS, Operation
from tests.bench.statements import counting
from tests.bench.wire import InProcess
from tests.helpers.clock import FakeClock
from tests.helpers.house import House

# Keyed by nothing: SQLite reads the table, or collects a subquery's rows, before it looks at ours.
SLOW = ("SCAN", "LIST SUBQUERY")
FINE = ("signing_keys", "SCAN settings", "CONSTANT ROW")
"""A table of a handful of rows that is read whole; the rows of an INSERT."""


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> House:
    return House(sqlite_url, clock)


def actor(house: House, operation: Operation) -> Actor:
    client = house.client(
        grant_types=["authorization_code", "refresh_token"],
        id_token_signed_response_alg=operation.algorithm,
    )
    http = InProcess(house.app, house.settings.issuer)
    return Actor(http, house.person(), client, clock=house.clock)


def plan(connection: Connection, statement: str) -> Iterator[str]:
    """SQLite's own words for how it would go about it."""
    nothing = ("",) * statement.count("?")
    for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", nothing):
        yield row.detail


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.name for operation in OPERATIONS])
def test_no_statement_reads_a_table(house: House, operation: Operation) -> None:
    rounds = operation.rounds(actor(house, operation), 1)
    with house.app.app_context():
        engine = db.engine
    with counting(engine) as counted:
        next(rounds)()
    with engine.connect() as connection:
        steps = [(text, step) for text in counted.texts for step in plan(connection, text)]
    slow = [
        (text, step)
        for text, step in steps
        if any(word in step for word in SLOW) and not any(word in step for word in FINE)
    ]
    assert slow == []
