"""What the generator makes up fits together, and fits the tables as they are."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ForeignKey, Select, create_engine, func, inspect, select, text

from idp.models import db
from tests.bench.scale.fill import disk_bytes, fill
from tests.bench.scale.size import GROUPS, Size

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
        lost = {str(key.parent): connection.scalar(lost_by(key)) for key in foreign_keys()}
    engine.dispose()
    assert found == COUNTS
    assert {of for of, count in lost.items() if count} == set()
    assert len(lost) > 12
    assert keys(database_url) == before
    assert disk_bytes(database_url) > 0
    assert len(told) > len(COUNTS)


def foreign_keys() -> Iterator[ForeignKey]:
    for table in COUNTS:
        yield from db.metadata.tables[table].foreign_keys


def lost_by(key: ForeignKey) -> Select[int]:
    """How many rows refer to something that there is not."""
    there = select(key.column).where(key.column == key.parent).correlate(key.parent.table)
    rows = select(func.count()).select_from(key.parent.table)
    return rows.where(key.parent.is_not(None), ~there.exists())


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
