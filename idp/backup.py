"""Copy an SQLite file while it is in use, and remember when that was done last."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, inspect, make_url

from idp import migrate
from idp.models import Fact
from idp.secrecy import private_file

BACKED_UP: Final = "backed_up"
"""The fact that says when."""


class NoBackup(Exception):
    """Why there is none, in a sentence."""


def back_up(database_url: str, file: Path, now: datetime) -> int:
    """Write what is in the SQLite database into a new ``file``, its owner's only; how many bytes.

    As it is at one instant, whatever is written meanwhile, and without a log beside it. Raises
    ``NoBackup``, as of a database that is damaged; ``OSError`` where the file cannot be made.
    """
    if make_url(database_url).get_backend_name() != "sqlite":
        raise NoBackup("PostgreSQL is backed up by its own means, such as pg_dump")
    if migrate.revision(database_url) is None:
        raise NoBackup("There is nothing yet that could be backed up")
    with migrate.connected(database_url) as connection:
        driver: Any = connection.connection.driver_connection
        with _new(file) as made:
            _copied(driver, made)
        with connection.begin():
            _note(connection, now)
    return file.stat().st_size


@contextmanager
def _new(file: Path) -> Iterator[Path]:
    """A file that was not there, and is not there if it does not come to what it should."""
    os.close(private_file(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    try:
        yield file
    except BaseException:
        file.unlink()
        raise


def _copied(source: sqlite3.Connection, file: Path) -> None:
    try:
        source.execute("VACUUM INTO ?", [str(file)])
    except sqlite3.DatabaseError as error:
        raise NoBackup(f"The database could not be copied: {error}") from error
    with file.open("rb") as written:
        os.fsync(written.fileno())


def _note(connection: Connection, now: datetime) -> None:
    if inspect(connection).has_table(Fact.__tablename__):  # tables may be an older version's
        connection.execute(delete(Fact).where(Fact.name == BACKED_UP))
        connection.execute(insert(Fact).values(name=BACKED_UP, value="", at=now))
