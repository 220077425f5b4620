"""Databases with something in them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import psycopg
from sqlalchemy import make_url

from idp.clock import system_clock
from idp.migrate import upgrade
from idp.models import db
from idp.services import group_sizes
from tests.bench.processes import has_huge_pages
from tests.bench.scale.fill import disk_bytes, fill
from tests.bench.scale.made_up import Progress
from tests.bench.scale.size import Size
from tests.bench.world import Database, Kind, server_of
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.postgres import PostgresCluster

_QUARTER: Final = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 // 4
MEMORY: Final = {
    "shared_buffers": f"{min(_QUARTER, 8192)}MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}
"""A quarter of the machine's memory, as its manual has it for a server of its own (PostgreSQL 15,
section 20.4.1); the rest is as it comes, in both databases alike."""
FILLING: Final = {
    **MEMORY,
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


@dataclass(frozen=True)
class Filled:
    """A database of this size, and the application over it in this process.

    ``seconds`` are how long it took to fill, ``disk`` how many bytes it is, and ``folder`` is for
    whatever belongs to it. ``huge_pages``: is the server's memory in such?
    """

    size: Size
    database: Database
    house: House
    folder: Path
    seconds: float
    disk: int
    huge_pages: bool


@contextmanager
def filled(kind: Kind, size: Size, progress: Progress) -> Iterator[Filled]:
    """It is gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="idp-bench-")))
        started = perf_counter()
        make = _sqlite if kind == "sqlite" else _postgresql
        found = stack.enter_context(make(folder, size, progress))
        os.sync()  # nor is anything written in the background while something is measured
        seconds, disk = perf_counter() - started, disk_bytes(found.url)
        house = House(found.url, FakeClock(system_clock()))
        with house.app.app_context():
            group_sizes.mark()
        huge_pages = found.pid is not None and has_huge_pages(found.pid)
        yield Filled(size, found, house, folder, seconds, disk, huge_pages)
        with house.app.app_context():
            db.engine.dispose()


@contextmanager
def _sqlite(folder: Path, size: Size, progress: Progress) -> Iterator[Database]:
    made = Database("sqlite", f"sqlite:///{folder / 'bench.sqlite3'}", None)
    upgrade(made.url)
    fill(made.url, size, progress)
    yield made


@contextmanager
def _postgresql(_folder: Path, size: Size, progress: Progress) -> Iterator[Database]:
    """Filled by a server that writes no log, and measured by one that is as durable as any."""
    cluster = PostgresCluster(durable=True)
    try:
        cluster.start()
        _restart(cluster, FILLING)
        url = cluster.create("bench")
        upgrade(url)
        fill(url, size, progress)
        _restart(cluster, MEMORY)
        _warm(url)
        yield Database("postgresql", url, server_of(url))
    finally:
        cluster.remove()


_IN_USE: Final = """
    SELECT c.oid::regclass FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i')
      AND coalesce(i.indrelid, c.oid) <> 'audit_events'::regclass
    ORDER BY c.relkind = 'i', pg_relation_size(c.oid) DESC
"""
"""All but the log, of which nobody reads but the end. What is looked up most comes last: where
there is no room for all of it, that is what stays."""


def _warm(url: str) -> None:
    """Have in memory what a server has there that has been up for a day (``pg_prewarm``)."""
    conninfo = make_url(url).set(drivername="postgresql").render_as_string()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_prewarm")
        for (name,) in connection.execute(_IN_USE).fetchall():
            connection.execute("SELECT pg_prewarm(%s::regclass)", [name])


def _restart(cluster: PostgresCluster, settings: Mapping[str, str]) -> None:
    conninfo = cluster.conninfo("postgres")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM RESET ALL")
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
    cluster.restart()
