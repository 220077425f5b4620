"""Indexes that are made and removed while everybody goes on, and what the version before still has.

Mutations: ``postgresql_concurrently=False`` in ``idp/indexes.py``, and who writes waits for it; no
look for a broken one there, and it stays; a revision 0019 that removes ``ix_grants_session_id``.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from idp import migrate
from idp.migrate import downgrade, pending
from tests.cli.command import Command
from tests.failures.next_version import ROOT
from tests.helpers.databases import KINDS, Databases, Kind
from tests.helpers.ports import wait_until
from tests.test_migrations import HERS, PEOPLE, connected, count, grant, insert

NAME = "ix_grants_user_id_session_id"
MAKING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
    " AND query LIKE 'CREATE INDEX CONCURRENTLY%'"
)
WHOLE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:index)"


@pytest.fixture
def behind(databases: Databases) -> Iterator[str]:
    """A PostgreSQL database that has yet to get its indexes."""
    with databases.fresh("postgresql") as url:
        insert(url, PEOPLE)
        downgrade(url, "0018")
        yield url


def upgrading(url: str) -> subprocess.Popen[bytes]:
    """Somebody else who does, and can be killed."""
    program = f"from idp import migrate; migrate.upgrade_beside({url!r})"
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.DEVNULL)


@contextmanager
def half_made(url: str) -> Iterator[tuple[subprocess.Popen[bytes], Connection]]:
    """Somebody who upgrades, and who has written to the table before and not committed."""
    with connected(url) as connection:
        connection.execute(text("UPDATE grants SET scope = scope"))
        with upgrading(url) as process:
            try:
                wait_until(lambda: bool(asked(url, MAKING)), seconds=30, what="an index is made")
                wait_until(
                    lambda: asked(url, WHOLE, index=NAME) == [False], seconds=30, what="half of it"
                )
                yield process, connection
            finally:
                process.kill()


def asked(url: str, statement: str, **values: str) -> list[object]:
    with connected(url) as connection:
        return list(connection.execute(text(statement), values).scalars())


def write(url: str) -> None:
    """As a node does meanwhile, who would be told at once if she had to wait."""
    number = count(url, "grants")
    insert(f"{url}?options=-c%20lock_timeout%3D100ms", [grant(f"of {number}", **HERS)])


def test_nobody_waits_while_an_index_is_made(behind: str, caplog: pytest.LogCaptureFixture) -> None:
    with half_made(behind) as (process, writer), ThreadPoolExecutor(1) as pool:
        write(behind)
        process.kill()
        process.wait()
        again = pool.submit(migrate.upgrade_beside, behind)
        # The server has not noticed that nobody wants it any more.
        wait_until(lambda: "waiting for that" in caplog.text, seconds=30, what="one at a time")
        write(behind)
        assert asked(behind, WHOLE, index=NAME) == [False]
        writer.rollback()
        again.result()
    assert asked(behind, WHOLE, index=NAME) == [True]
    assert migrate.revision(behind) == "0019"
    assert count(behind, "grants") == 2


def test_what_a_crash_leaves_half_made_is_made_anew(behind: str) -> None:
    with half_made(behind) as (process, _):
        asked(behind, MAKING.replace("SELECT pid", "SELECT pg_terminate_backend(pid)"))
        assert process.wait() != 0
        assert asked(behind, WHOLE, index=NAME) == [False], "it is there, and answers nothing"
    write(behind)
    idp = Command.over(behind)
    assert idp.done("db", "upgrade", "--rolling").startswith("The schema is at revision 0019.")
    assert asked(behind, WHOLE, index=NAME) == [True]
    idp.done("db", "upgrade")
    assert pending(behind) == ()


def plan(url: str, where: str) -> str:
    statement = f"UPDATE grants SET scope = '' WHERE {where} AND ended_at IS NULL"  # noqa: S608
    with connected(url) as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
            return "\n".join(row[3] for row in rows)
        connection.execute(text("SET enable_seqscan = off"))
        return "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}").scalars())


@pytest.mark.parametrize("kind", KINDS)
def test_the_version_before_keeps_its_indexes_until_all_its_nodes_are_gone(
    databases: Databases, kind: Kind
) -> None:
    with databases.fresh(kind) as url:
        downgrade(url, "0018")
        idp = Command.over(url)
        told = idp.done("db", "upgrade", "--rolling")
        assert told.endswith("When no node of the version before is left: `idp db upgrade`.\n")
        assert (migrate.readers(url) or "").startswith("0019 "), "nodes of 0018 go on"
        assert not (migrate.readers(url) or "").endswith(" 0019")
        assert "ix_grants_session_id" in plan(url, "session_id = 'hers'")
        assert NAME in plan(url, "user_id = 'ann' AND session_id = 'hers'")

        assert idp.done("db", "upgrade") == "The schema is at revision 0020.\n"
        assert migrate.readers(url) == "0020 0019", "nodes of 0018 stop, and say so"
        assert "ix_grants_session_id" not in plan(url, "session_id = 'hers'")
        assert NAME in plan(url, "user_id = 'ann' AND session_id = 'hers'")
        assert NAME in plan(url, "user_id = 'ann'")
        with connected(url) as connection:
            connection.execute(text(f"DROP INDEX {NAME}"))
            connection.commit()
        downgrade(url, "0018")  # past what somebody else took away
        migrate.upgrade(url)
        assert pending(url) == ()
        assert idp.done("db", "upgrade", "--rolling") == "The schema is at revision 0020.\n"


def test_no_later_revision_makes_an_index_that_others_wait_for() -> None:
    """A table that is new has its indexes in its own ``create_table``."""
    scripts = ScriptDirectory.from_config(migrate._config())
    later = [one for one in scripts.walk_revisions() if one.revision > "0018"]
    assert later
    for script in later:
        written = Path(script.path).read_text(encoding="utf-8")
        assert "create_index(" not in written, script.revision
        assert "drop_index(" not in written, script.revision
