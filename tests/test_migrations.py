"""The schema: reached from nothing, left without a trace, and the same as the code's."""

import pytest
from sqlalchemy import create_engine, inspect

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


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_there_survives_a_table_that_is_changed(databases: Databases, kind: Kind) -> None:
    with databases.fresh(kind) as url:
        _run(url, *_ANN_AND_HER_TOKEN)
        downgrade(url, "0001")
        assert _count(url, "access_tokens") == 1
        upgrade(url)
        assert _count(url, "access_tokens") == 1
        _run(url, *_A_TOKEN_OF_NOBODY)
        downgrade(url, "0001")
        assert [_count(url, table) for table in ("grants", "access_tokens")] == [1, 1]


_NOW = "'2026-01-01 00:00:00'"
_ANN_AND_HER_TOKEN = (
    "INSERT INTO users (id, email, email_verified, profile, webauthn_handle, created_at,"
    f" updated_at) VALUES ('ann', 'ann@example.com', true, '{{}}', 'h', {_NOW}, {_NOW})",
    "INSERT INTO clients (id, name, registration, managed_by, revision, created_at, updated_at)"
    f" VALUES ('shop', 'Shop', '{{}}', 'command', 1, {_NOW}, {_NOW})",
    "INSERT INTO grants (id, client_id, user_id, scope, acr, amr, auth_time, request, created_at,"
    f" expires_at) VALUES ('g', 'shop', 'ann', '', 'a', '', {_NOW}, '{{}}', {_NOW}, {_NOW})",
    "INSERT INTO access_tokens (token_hash, grant_id, scope, audience, issued_at, expires_at)"
    f" VALUES ('t', 'g', '', '[]', {_NOW}, {_NOW})",
)
_A_TOKEN_OF_NOBODY = (
    "INSERT INTO grants (id, client_id, scope, request, created_at, expires_at)"
    f" VALUES ('n', 'shop', '', '{{}}', {_NOW}, {_NOW})",
    "INSERT INTO access_tokens (token_hash, grant_id, scope, audience, issued_at, expires_at)"
    f" VALUES ('u', 'n', '', '[]', {_NOW}, {_NOW})",
)


def _run(url: str, *statements: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def _count(url: str, table: str) -> int:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    finally:
        engine.dispose()


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()
