"""Every statement of what is measured finds its rows by an index, however many there are."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Connection, make_url
from sqlalchemy.sql.dml import Insert

from idp.models import db
from idp.models.plain import Plain
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
    client = house.client(**operation.client.members)
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


# Whatever is written as a plain statement is there because it is asked all the time. So each is
# looked at, whether or not an operation of the bench comes by it.


def plain_statements(dialect: str) -> list[str]:
    """All but those that only add a row."""
    there = [one for one in Plain.known if one.is_for(dialect) and not one.is_a(Insert)]
    texts = {one.text(dialect) for one in there}
    return sorted(text for text in texts if not any(table in text for table in SMALL_TABLES))


SMALL_TABLES = ("signing_keys",)


def test_sqlite_finds_every_plain_statement_by_an_index(house: House) -> None:
    texts = plain_statements("sqlite")
    with house.app.app_context(), db.engine.connect() as connection:
        slow = [(text, step) for text in texts for step in plan(connection, text) if "SCAN" in step]
    assert len(texts) > 20
    assert [(text, step) for text, step in slow if "CONSTANT ROW" not in step] == []


def test_every_value_in_sqlite_has_the_type_of_a_column() -> None:
    """Or an instant is another text there than all others in its column, which Python is about to
    give up writing."""
    # What is inserted goes by the columns' names.
    there = [one for one in Plain.known if one.is_for("sqlite") and not one.is_a(Insert)]
    assert len(there) > 20
    untyped = {one.text("sqlite"): one.untyped("sqlite") for one in there}
    assert {text: names for text, names in untyped.items() if names} == {}


MANY = """
    INSERT INTO users (id, email, email_verified, profile, webauthn_handle, created_at, updated_at,
                       version)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    SELECT 'person' || i, 'person' || i || '@example.org', 1, '{}', 'handle' || i,
           '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 1 FROM n
"""


def test_sqlite_finds_a_person_by_an_index_when_it_knows_that_nobody_has_a_user_name(
    house: House,
) -> None:
    """What ANALYZE finds out leads it to read all people for "this address or this name"."""
    texts = [text for text in plain_statements("sqlite") if "FROM users" in text]
    either = "SELECT * FROM users WHERE email = ? OR username = ?"
    with house.app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql(MANY)
        connection.exec_driver_sql("ANALYZE")
    with house.app.app_context(), db.engine.connect() as connection:
        assert "SCAN users" in list(plan(connection, either))
        slow = [(text, step) for text in texts for step in plan(connection, text) if "SCAN" in step]
    assert any("username = ?" in text for text in texts)
    assert slow == []


def test_postgresql_finds_every_plain_statement_by_an_index(
    house: House, postgresql_url: str
) -> None:
    """With tables that are dear to read, it reads one only where no index would do."""
    texts = plain_statements("postgresql")
    url = make_url(postgresql_url).set(drivername="postgresql").render_as_string()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET plan_cache_mode = force_generic_plan")
        slow = [text for text in texts if "Seq Scan" in postgresql_plan(connection, text)]
    assert len(texts) > 20
    assert slow == []


def postgresql_plan(connection: "psycopg.Connection[tuple[str]]", text: str) -> str:
    """How it would go about the statement, whatever it is given."""
    numbers = sorted({int(one) for one in re.findall(r"\$(\d+)", text)})
    given = f"({', '.join('NULL' for _ in numbers)})" if numbers else ""
    connection.execute(f"PREPARE looked_at AS {text}".encode())
    steps = connection.execute(f"EXPLAIN EXECUTE looked_at{given}".encode()).fetchall()
    connection.execute("DEALLOCATE looked_at")
    return "\n".join(step for (step,) in steps)
