"""A copy of an SQLite file that is in use: whole, and for its owner only."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url

from idp import migrate
from idp.backup import NoBackup, back_up
from tests.helpers.databases import Databases

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def used(databases: Databases) -> Iterator[str]:
    """One in which somebody is just writing."""
    with databases.fresh("sqlite") as url, closing(opened(url)) as server:
        server.execute("INSERT INTO counters VALUES ('a', 7, '2026-01-01', '2026-01-01')")
        server.commit()
        server.execute("UPDATE counters SET count = 8")
        server.commit()
        yield url


def opened(url: str) -> sqlite3.Connection:
    connection = sqlite3.connect(str(make_url(url).database))
    connection.execute("PRAGMA journal_mode=WAL")
    return connection


def test_what_was_written_up_to_now_is_in_it_with_no_log_beside_it(
    used: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup.sqlite3"
    assert back_up(used, file, NOW) == file.stat().st_size
    assert list(tmp_path.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("SELECT count FROM counters").fetchall() == [(8,)]
    assert migrate.pending(f"sqlite:///{file}") == ()


def test_what_is_there_already_is_not_written_over(used: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.sqlite3"
    file.write_text("the only one")
    with pytest.raises(FileExistsError):
        back_up(used, file, NOW)
    assert file.read_text() == "the only one"


def test_of_a_damaged_one_there_is_no_backup(used: str, tmp_path: Path) -> None:
    path = Path(str(make_url(used).database))
    with closing(opened(used)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'counters'")
        page = root.fetchone()[0] - 1
    with path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(NoBackup, match="malformed"):
        back_up(used, tmp_path / "backup.sqlite3", NOW)
    assert list(tmp_path.iterdir()) == []


def test_one_of_an_older_version_is_backed_up_before_it_is_upgraded(
    used: str, tmp_path: Path
) -> None:
    migrate.downgrade(used, "0001")
    assert back_up(used, tmp_path / "backup.sqlite3", NOW)
    assert migrate.revision(f"sqlite:///{tmp_path}/backup.sqlite3") == "0001"


def test_where_nothing_is_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoBackup, match="nothing yet"):
        back_up(f"sqlite:///{tmp_path}/none.sqlite3", tmp_path / "backup.sqlite3", NOW)
    assert list(tmp_path.iterdir()) == []


def test_postgresql_has_means_of_its_own(postgresql_url: str, tmp_path: Path) -> None:
    with pytest.raises(NoBackup, match="pg_dump"):
        back_up(postgresql_url, tmp_path / "backup.sqlite3", NOW)
