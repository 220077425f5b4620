"""The command in this process, over a database of its own."""

import pytest

from tests.cli.command import Command


@pytest.fixture
def idp(database_url: str) -> Command:
    """``idp("users", "list")`` over a migrated database, on SQLite and on PostgreSQL."""
    return Command.over(database_url)


@pytest.fixture
def sqlite_idp(sqlite_url: str) -> Command:
    """The same on SQLite alone, for what no database has a say in."""
    return Command.over(sqlite_url)
