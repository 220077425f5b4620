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


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()
