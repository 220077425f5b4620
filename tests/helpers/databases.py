"""Migrated databases, made by copying one that was migrated once."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from tests.helpers.copies import Copies
from tests.helpers.postgres import PostgresCluster

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
Migrate = Callable[[str], None]
"""Brings the database at a SQLAlchemy URL to the newest schema."""

_TEMPLATE = "migrated"
_MEMORY = Path("/dev/shm")  # noqa: S108 - nothing in there is worth anything
_ROOM = 500_000_000
"""Bytes: what should be free there. In a container it is often next to nothing."""


@contextmanager
def quick_folder(otherwise: Path) -> Iterator[Path]:
    """A folder in memory, gone afterwards, as SQLite waits for disks; or else ``otherwise``."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield otherwise
        return
    with TemporaryDirectory(prefix="idp-databases-", dir=_MEMORY) as made:
        yield Path(made)


class Databases:
    """Makes databases for one test process. What nobody asks for is never started."""

    def __init__(self, folder: Path, migrate: Migrate) -> None:
        self._folder = folder
        self._migrate = migrate
        self._numbers = count(1)
        self._cluster: PostgresCluster | None = None

    @contextmanager
    def fresh(self, kind: Kind, *, migrated: bool = True) -> Iterator[str]:
        """The SQLAlchemy URL of a database of its own, removed afterwards."""
        make = {"sqlite": self._sqlite, "postgresql": self._postgresql}[kind]
        with make(f"test_{next(self._numbers)}", migrated) as url:
            yield url

    @contextmanager
    def _sqlite(self, name: str, migrated: bool) -> Iterator[str]:
        file = self._folder / f"{name}.sqlite3"
        if migrated:
            shutil.copyfile(self._sqlite_template(), file)
        try:
            yield f"sqlite:///{file}"
        finally:
            for leftover in self._folder.glob(f"{file.name}*"):
                leftover.unlink()

    def _sqlite_template(self) -> Path:
        file = self._folder / f"{_TEMPLATE}.sqlite3"
        if not file.exists():
            building = self._folder / f"{_TEMPLATE}.building"
            self._migrate(f"sqlite:///{building}")
            with closing(sqlite3.connect(building)) as connection:
                # What still lies in the write-ahead log would not be in a copy of the file.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            building.rename(file)
        return file

    @contextmanager
    def _postgresql(self, name: str, migrated: bool) -> Iterator[str]:
        if migrated:
            with self._copies.lent() as url:
                yield url
            return
        try:
            yield self.cluster.create(name)
        finally:
            self.cluster.drop(name)

    @cached_property
    def _copies(self) -> Copies:
        self._migrate(self.cluster.create(_TEMPLATE))
        return Copies(self.cluster, _TEMPLATE)

    @property
    def cluster(self) -> PostgresCluster:
        """The PostgreSQL server, started at the first use."""
        if self._cluster is None:
            self._cluster = PostgresCluster()
            self._cluster.start()
        return self._cluster

    def close(self) -> None:
        """Remove the PostgreSQL server, if there is one."""
        if self._cluster is not None:
            self._cluster.remove()
