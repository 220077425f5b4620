"""Fills a migrated database that nobody has used, as fast as it can be done."""

from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import make_url

from idp.clock import system_clock
from tests.bench.scale import postgresql, sqlite
from tests.bench.scale.made_up import Progress, made_up
from tests.bench.scale.rows import clients, events, people, tokens
from tests.bench.scale.size import Size

_NOUNS: Final = (events, tokens, people, clients)
"""The longest first."""


def fill(database_url: str, size: Size, progress: Progress) -> None:
    """Do all of it, and have the database look at what it has, as upkeep of its own would."""
    url = make_url(database_url)
    kind = url.get_backend_name()
    sql = made_up(kind, int(system_clock().timestamp()))
    tables = [table for noun in _NOUNS for table in noun.tables(sql, size)]
    into = sqlite.fill if kind == "sqlite" else postgresql.fill
    into(url, tables, progress)


def disk_bytes(database_url: str) -> int:
    """What the whole database takes."""
    url = make_url(database_url)
    if database_url.startswith("sqlite"):
        return Path(url.database or "").stat().st_size
    with psycopg.connect(url.set(drivername="postgresql").render_as_string()) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0
