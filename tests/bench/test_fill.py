"""What the generator makes up fits together, and fits the tables as they are."""

from typing import Any

from sqlalchemy import Column, Select, create_engine, func, inspect, select, text

from tests.bench.scale.fill import disk_bytes, fill
from tests.bench.scale.size import GROUPS, Size
from tests.helpers.references import references

SIZE = Size(people=30, clients=5, tokens=90, audit=50)
COUNTS = {
    "users": 30,
    "person_words": 150,
    "credentials": 30,
    "sessions": 30,
    "evidence": 30,
    "groups": GROUPS,
    "memberships": 30,
    "clients": 5,
    "client_secrets": 5,
    "client_words": 35,
    "consents": 30,
    "session_clients": 30,
    "grants": 40,
    "refresh_tokens": 80,
    "access_tokens": 9,
    "audit_events": 50,
}


def test_everything_is_there_and_refers_to_what_is_there(database_url: str) -> None:
    told: list[str] = []
    before = keys(database_url)
    fill(database_url, SIZE, told.append)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in COUNTS
        }
        lost = {
            str(one): connection.scalar(lost_by(one, other))
            for one, other in references().items()
            if one.table.name in COUNTS
        }
    engine.dispose()
    assert found == COUNTS
    assert {of for of, count in lost.items() if count} == set()
    assert len(lost) > 12
    assert keys(database_url) == before
    assert disk_bytes(database_url) > 0
    assert len(told) > len(COUNTS)


def lost_by(column: Column[str], other: Column[str]) -> Select[int]:
    """How many rows refer to something that there is not."""
    there = select(other).where(other == column).correlate(column.table)
    rows = select(func.count()).select_from(column.table)
    return rows.where(column.is_not(None), ~there.exists())


def keys(url: str) -> set[tuple[str, tuple[str, ...]]]:
    """Indexes and unique constraints by table, as the columns they are of."""
    engine = create_engine(url)
    found = inspect(engine)
    columns: list[tuple[str, Any]] = [
        (table, one["column_names"])
        for table in COUNTS
        for one in (*found.get_indexes(table), *found.get_unique_constraints(table))
    ]
    # A key of a table is one, whether or not it is called so.
    columns += [(table, found.get_pk_constraint(table)["constrained_columns"]) for table in COUNTS]
    engine.dispose()
    return {(table, tuple(names)) for table, names in columns if names}
