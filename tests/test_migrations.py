"""The schema: reached from nothing, left without a trace, and the same as the code's."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, func, inspect, select

from idp.migrate import downgrade, head, pending, upgrade
from idp.models import db
from tests.helpers.databases import KINDS, Databases, Kind


@pytest.mark.parametrize("kind", KINDS)
def test_up_is_the_schema_of_the_code_and_down_is_nothing(databases: Databases, kind: Kind) -> None:
    with databases.fresh(kind, migrated=False) as url:
        assert pending(url) == (f"the schema is at revision none, the code at {head()}",)
        upgrade(url)
        assert pending(url) == ()
        assert tables(url) == {*db.metadata.tables, "alembic_version"}
        downgrade(url, "base")
        assert tables(url) == {"alembic_version"}
        upgrade(url)
        assert pending(url) == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_upgrade_changes_nothing(databases: Databases, kind: Kind) -> None:
    with databases.fresh(kind) as url:
        upgrade(url)
        assert pending(url) == ()


NOW = datetime(2026, 1, 1, tzinfo=UTC)
SINCE = {"created_at": NOW, "updated_at": NOW}
LIVES = {"created_at": NOW, "expires_at": NOW}
HERS = {"user_id": "ann", "acr": "a", "amr": "", "auth_time": NOW}
Rows = Sequence[tuple[str, Mapping[str, Any]]]


def token(name: str, grant: str) -> tuple[str, Mapping[str, Any]]:
    kept = {"scope": "", "audience": [], "issued_at": NOW, "expires_at": NOW}
    return "access_tokens", {"token_hash": name, "grant_id": grant, **kept}


def grant(name: str, **columns: Any) -> tuple[str, Mapping[str, Any]]:
    return "grants", {"id": name, "client_id": "c", "scope": "", "request": {}, **LIVES, **columns}


PEOPLE: Rows = (
    ("users", {"id": "ann", "email": "a@example.com", "webauthn_handle": "h", **SINCE}),
    ("clients", {"id": "c", "name": "C", "registration": {}, **SINCE}),
)


@pytest.mark.parametrize("kind", KINDS)
def test_what_refers_to_a_table_survives_its_change(databases: Databases, kind: Kind) -> None:
    with databases.fresh(kind) as url:
        insert(url, [*PEOPLE, grant("hers", **HERS), token("t", "hers")])
        downgrade(url, "0001")
        assert count(url, "access_tokens") == 1
        upgrade(url)
        assert count(url, "access_tokens") == 1
        insert(url, [grant("nobodys"), token("u", "nobodys")])
        downgrade(url, "0001")
        assert (count(url, "grants"), count(url, "access_tokens")) == (1, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_of_nobodys_session_where_the_database_checks_again(
    databases: Databases, kind: Kind
) -> None:
    """SQLite checks nothing while it is migrated, and takes nothing along."""
    with databases.fresh(kind) as url:
        insert(url, [*PEOPLE, *(row for user in ("ann", "gone") for row in session_of(user))])
        downgrade(url, "0016")
        left = {table: count(url, table) for table in ("sessions", "evidence", "session_clients")}
        assert left == {"sessions": 1, "evidence": 1, "session_clients": 1}
        assert kind != "sqlite" or violations(url) == []


def session_of(user: str) -> Rows:
    proof = {"transaction_id": "t", "method": "password", "proves": "", "amr": "", "at": NOW}
    return (
        ("sessions", {"id": user, "user_id": user, "last_seen_at": NOW, **LIVES}),
        ("evidence", {"session_id": user, **proof}),
        ("session_clients", {"session_id": user, "client_id": "c", "since": NOW}),
    )


def violations(url: str) -> list[Any]:
    with connected(url) as connection:
        return list(connection.exec_driver_sql("PRAGMA foreign_key_check"))


def insert(url: str, rows: Rows) -> None:
    with connected(url) as connection:
        for table, values in rows:
            connection.execute(db.metadata.tables[table].insert(), dict(values))
        connection.commit()


def count(url: str, table: str) -> int:
    with connected(url) as connection:
        counted = select(func.count()).select_from(db.metadata.tables[table])
        return connection.execute(counted).scalar_one()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def tables(url: str) -> set[str]:
    with connected(url) as connection:
        return set(inspect(connection).get_table_names())
