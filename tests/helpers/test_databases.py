from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from idp.migrate import pending
from tests.helpers.databases import KINDS, Databases, Kind

COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'notes' ORDER BY 1"
INDEXES = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'"
CONSTRAINTS = """
    SELECT conname FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'c')
"""


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def make_notes(url: str) -> None:
    number = "SERIAL" if url.startswith("postgresql") else "INTEGER"
    execute(url, f"CREATE TABLE notes (id {number} PRIMARY KEY, text VARCHAR(10))")
    execute(url, "CREATE TABLE versions (number VARCHAR(10))")
    execute(url, "INSERT INTO versions VALUES ('newest')")


@pytest.fixture(scope="module")
def own_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("own"), make_notes)
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS)
def test_each_database_is_a_migrated_copy_of_its_own(own_databases: Databases, kind: Kind) -> None:
    with own_databases.fresh(kind) as one, own_databases.fresh(kind) as other:
        execute(one, "INSERT INTO notes (text) VALUES ('mine')")
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


def test_a_copy_that_was_used_is_as_new(own_databases: Databases) -> None:
    before = "INSERT INTO notes (text) VALUES ('before') RETURNING id"
    for _ in range(3):
        with own_databases.fresh("postgresql") as url:
            assert execute(url, "SELECT text FROM notes") == []
            assert execute(url, before) == [(1,)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE notes ADD COLUMN author VARCHAR(9)",
        "ALTER TABLE notes DROP CONSTRAINT notes_pkey",
        "ALTER TABLE notes ADD CHECK (id > 0)",
        "CREATE INDEX by_text ON notes (text)",
        "DROP TABLE notes",
        "UPDATE versions SET number = 'other'",
        "DELETE FROM versions",
    ],
)
def test_a_copy_that_was_changed_is_not_lent_again(own_databases: Databases, change: str) -> None:
    with own_databases.fresh("postgresql") as url:
        execute(url, change)
    for _ in range(3):  # a copy rests before it is lent again
        with own_databases.fresh("postgresql") as url:
            assert execute(url, "SELECT * FROM notes JOIN versions ON true") == []
            assert execute(url, "SELECT number FROM versions") == [("newest",)]
            assert execute(url, COLUMNS) == [("id",), ("text",)]
            assert execute(url, INDEXES) == [(1,)]
            assert execute(url, CONSTRAINTS) == [("notes_pkey",)]


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
        execute(url, "INSERT INTO notes (text) VALUES ('kept')")
        own_databases.cluster.restart(immediate=immediate)
        assert execute(url, "SELECT text FROM notes") == [("kept",)]


def test_the_shared_fixture_has_the_schema_of_the_code(database_url: str) -> None:
    assert pending(database_url) == ()
