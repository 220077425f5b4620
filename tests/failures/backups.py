"""Backups as operators make them: our copy of SQLite, and PostgreSQL's own dump."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from idp import backup
from idp.clock import system_clock
from tests.helpers.databases import Databases
from tests.helpers.postgres import binaries


def back_up(database_url: str, file: Path) -> None:
    """What docs/operations.md says."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        backup.back_up(database_url, file, system_clock())
    else:
        _run("pg_dump", url, "--format=custom", f"--file={file}")


@contextmanager
def restored(databases: Databases, kind: Any, file: Path) -> Iterator[str]:
    """The URL of a database as it was then."""
    with databases.fresh(kind, migrated=False) as database_url:
        url = make_url(database_url)
        if kind == "sqlite":
            Path(str(url.database)).write_bytes(file.read_bytes())
        else:
            _run("pg_restore", url, str(file))
        yield database_url


def _run(tool: str, url: Any, *arguments: str) -> None:
    where = f"--host={url.host} --port={url.port} --username={url.username}".split()
    command = [str(binaries() / tool), *where, f"--dbname={url.database}", *arguments]
    subprocess.run(command, check=True, capture_output=True)
