from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from idp.migrate import pending
from tests.helpers.databases import KINDS, Databases, Kind


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def make_notes(url: str) -> None:
    execute(url, "CREATE TABLE notes (text VARCHAR(10))")


@pytest.fixture(scope="module")
def own_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("own"), make_notes)
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS)
def test_each_database_is_a_migrated_copy_of_its_own(own_databases: Databases, kind: Kind) -> None:
    with own_databases.fresh(kind) as one, own_databases.fresh(kind) as other:
        execute(one, "INSERT INTO notes VALUES ('mine')")
        assert execute(one, "SELECT text FROM notes") == [("mine",)]
        assert execute(other, "SELECT text FROM notes") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_may_be_left_empty_for_migration_tests(
    own_databases: Databases, kind: Kind
) -> None:
    with own_databases.fresh(kind, migrated=False) as url:
        engine = create_engine(url, poolclass=NullPool)
        assert inspect(engine).get_table_names() == []


def test_a_database_goes_although_somebody_is_connected(own_databases: Databases) -> None:
    with own_databases.fresh("postgresql") as url:
        engine = create_engine(url, poolclass=NullPool)
        connection = engine.connect()
        connection.execute(text("SELECT 1"))
    with pytest.raises(OperationalError):
        connection.execute(text("SELECT 1"))
    connection.invalidate()
    with pytest.raises(OperationalError):
        engine.connect()


def test_no_file_is_left_of_a_sqlite_database(own_databases: Databases) -> None:
    with own_databases.fresh("sqlite") as url:
        file = Path(url.removeprefix("sqlite:///"))
        execute(url, "PRAGMA journal_mode=WAL")
        assert file.exists()
    assert list(file.parent.glob(f"{file.name}*")) == []


@pytest.mark.parametrize("immediate", [False, True], ids=["orderly", "after a crash"])
def test_a_restarted_cluster_has_its_data_and_its_port(
    own_databases: Databases, immediate: bool
) -> None:
    with own_databases.fresh("postgresql") as url:
        execute(url, "INSERT INTO notes VALUES ('kept')")
        own_databases.cluster.restart(immediate=immediate)
        assert execute(url, "SELECT text FROM notes") == [("kept",)]


def test_the_shared_fixture_has_the_schema_of_the_code(database_url: str) -> None:
    assert pending(database_url) == ()
