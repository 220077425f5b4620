"""A migration that is killed anywhere is run again, and nothing is lost on the way.

(What happens under load is in ``test_versions.py``.) Mutations: on PostgreSQL an engine in
``idp/migrate.py`` with ``isolation_level="AUTOCOMMIT"``, on SQLite ``prepare_engine`` without
``_sqlite_begin``: a second run meets tables that are there already.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from threading import Timer

import pytest
from sqlalchemy import make_url, text

from idp import migrate
from idp.migrate import LOCK_WAIT, downgrade, pending
from tests.cli.command import Command
from tests.failures.next_version import ROOT
from tests.helpers.databases import KINDS, Databases, Kind
from tests.helpers.servers import environment
from tests.test_migrations import HERS, PEOPLE, connected, count, grant, insert, token


def test_it_does_not_let_others_wait_behind_it(databases: Databases) -> None:
    with databases.fresh("postgresql") as url:
        downgrade(url, "0001")
        patient = Command.over(f"{url}?options=-c%20lock_timeout%3D100ms")
        with connected(url) as connection:
            connection.execute(text("LOCK TABLE grants IN ACCESS SHARE MODE"))
            told = patient.refused("db", "upgrade")
            assert "lock timeout" in told
        patient.done("db", "upgrade")
        assert pending(url) == ()
        assert _lock_wait(url) == LOCK_WAIT


def _lock_wait(url: str) -> str:
    """What a migration goes by where the URL says nothing."""
    with migrate.connected(url) as connection:
        return str(connection.scalar(text("SHOW lock_timeout")))


def test_it_gives_way_and_goes_on_when_the_table_is_free(databases: Databases) -> None:
    with databases.fresh("postgresql") as url:
        downgrade(url, "0001")
        with connected(url) as connection:
            connection.execute(text("LOCK TABLE grants IN ACCESS SHARE MODE"))
            busy = Timer(2, connection.rollback)
            busy.start()
            migrate.upgrade(url)
            busy.join()
        assert pending(url) == ()


def killed(*urls: str) -> int:
    """Upgrade, or copy, killed after every statement, until it is done; how often it was."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.failures.upgrading", *urls],
        cwd=ROOT,
        env=environment(urls[0], "https://id.example.com", {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_after_every_statement_it_comes_to_its_end(databases: Databases, kind: Kind) -> None:
    with databases.fresh(kind) as url:
        insert(url, [*PEOPLE, grant("hers", **HERS), token("t", "hers")])
        downgrade(url, "0001")
        assert killed(url) > 5, "it was killed again and again"
        assert pending(url) == ()
        assert [count(url, name) for name in ("users", "grants", "access_tokens")] == [1, 1, 1]
        if kind == "sqlite":
            with closing(sqlite3.connect(str(make_url(url).database))) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
