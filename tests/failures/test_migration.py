"""A migration that is killed anywhere is run again, and nothing is lost on the way.

(What happens under load is in ``test_versions.py``.) Mutation: ``transaction_per_migration`` and
the transaction around it taken away in ``migrations/env.py`` (``connection.commit()`` after each
statement), and a second run meets tables that are there already.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import make_url

from idp.migrate import downgrade, pending
from tests.failures.next_version import ROOT
from tests.helpers.databases import KINDS, Databases, Kind
from tests.helpers.servers import environment
from tests.test_migrations import HERS, PEOPLE, count, grant, insert, token


@pytest.mark.parametrize("kind", KINDS)
def test_killed_after_every_statement_it_comes_to_its_end(databases: Databases, kind: Kind) -> None:
    with databases.fresh(kind) as url:
        insert(url, [*PEOPLE, grant("hers", **HERS), token("t", "hers")])
        downgrade(url, "0001")
        ended = subprocess.run(
            [sys.executable, "-m", "tests.failures.upgrading", url],
            cwd=ROOT,
            env=environment(url, "https://id.example.com", {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stderr
        assert int(ended.stdout) > 5, "it was killed again and again"
        assert pending(url) == ()
        assert [count(url, name) for name in ("users", "grants", "access_tokens")] == [1, 1, 1]
        if kind == "sqlite":
            with closing(sqlite3.connect(str(make_url(url).database))) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
