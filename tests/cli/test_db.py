"""The schema, by command."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from idp import migrate
from tests.cli.command import Command
from tests.helpers.databases import KINDS, Databases, Kind


@pytest.mark.parametrize("kind", KINDS)
def test_up_and_checked_and_down(databases: Databases, kind: Kind) -> None:
    with databases.fresh(kind, migrated=False) as url:
        idp = Command.over(url)
        assert "the database is empty" in idp.refused("db", "check")
        assert idp.done("db", "upgrade") == f"The schema is at revision {migrate.head()}.\n"
        assert idp.json("db", "check") == {
            "revision": migrate.head(),
            "expected": migrate.head(),
            "problems": [],
        }
        assert idp.done("db", "upgrade") == f"The schema is at revision {migrate.head()}.\n"
        assert "revision none" in idp.done("db", "downgrade", "base")
        assert "the database is empty" in idp.refused("db", "check")


def test_a_difference_is_told_and_ends_with_one(idp: Command) -> None:
    engine = create_engine(idp.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE stray (id INTEGER PRIMARY KEY)"))
    engine.dispose()
    checked = idp("db", "check", "--json")
    assert checked.exit_code == 1
    assert "stray" in checked.stdout
    assert "stray" in checked.stderr


def test_a_revision_that_is_not_known_is_refused(sqlite_idp: Command) -> None:
    assert "9999" in sqlite_idp.refused("db", "upgrade", "9999")


def test_a_database_of_a_newer_version_is_left_alone(sqlite_idp: Command) -> None:
    engine = create_engine(sqlite_idp.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    told = sqlite_idp.refused("users", "list")
    assert "A newer one has upgraded it" in told


def test_everything_goes_to_another_database(sqlite_idp: Command, databases: Databases) -> None:
    sqlite_idp.done("users", "create", "ann@example.com", "--name", "Ann")
    with databases.fresh("postgresql", migrated=False) as url:
        told = sqlite_idp.done("db", "copy", "--to", url)
        assert "users: 1\n" in told
        assert "idp restore-epoch" in told
        there = Command.over(url)
        assert [one["name"] for one in there.json("users", "list")] == ["Ann"]
        assert "Nothing was copied" in sqlite_idp.refused("db", "copy", "--to", url)


def test_what_was_copied_is_json_too(sqlite_idp: Command, databases: Databases) -> None:
    sqlite_idp.done("users", "create", "ann@example.com")
    with databases.fresh("postgresql") as url:
        copied = sqlite_idp.json("db", "copy", "--to", url)
    assert copied["rows"]["users"] == 1
    assert copied["rows"]["grants"] == 0


@pytest.mark.parametrize(
    "url", ["postgres://localhost/idp", "postgresql+psycopg://host:port/idp", "x"]
)
def test_what_is_no_database_is_a_matter_of_usage(sqlite_idp: Command, url: str) -> None:
    result = sqlite_idp("db", "copy", "--to", url)
    assert result.exit_code == 2
    assert "--to must" in result.stderr


def test_a_backup_is_a_database(sqlite_idp: Command, tmp_path: Path) -> None:
    sqlite_idp.done("users", "create", "ann@example.com", "--name", "Ann")
    file = tmp_path / "it's a backup.sqlite3"
    told = sqlite_idp.json("db", "backup", str(file))
    assert told == {"file": str(file), "bytes": file.stat().st_size}
    there = Command.over(f"sqlite:///{file}")
    assert [one["name"] for one in there.json("users", "list")] == ["Ann"]
    assert "exists" in sqlite_idp.refused("db", "backup", str(file))
    assert "No such file" in sqlite_idp.refused("db", "backup", str(tmp_path / "no" / "folder"))
