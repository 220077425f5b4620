"""The bench runs, and prints something for everything; how fast it was is nobody's assertion."""

import pytest

from tests.bench.__main__ import main
from tests.bench.operations import OPERATIONS
from tests.bench.scale.lists import LISTS

TINY = ("--seconds", "0.02", "--drivers", "1", "--people", "600", "--turns", "1")


def table_names(printed: str) -> list[list[str]]:
    """The first cell of every row, by table."""
    tables = [part.splitlines() for part in printed.split("\n\n") if part.startswith("|")]
    return [[line.split("|")[1].strip() for line in table[2:]] for table in tables]


def test_every_operation_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    main([*TINY, "--database", "sqlite"])
    printed = capsys.readouterr().out
    floor, operations, second, lists = table_names(printed)
    assert floor == ["RS256", "ES256", "ES256 verify", "argon2id", "commit, SQLite"]
    assert operations == [operation.name for operation in OPERATIONS]
    assert lists == list(LISTS)
    assert second == ["JWKS, SQLite", "userinfo, SQLite"]
    assert "cores" in printed


def test_postgresql_is_measured_apart(capsys: pytest.CaptureFixture[str]) -> None:
    main([*TINY, "--database", "postgresql", "--only", "silent authorization"])
    floor, operations = table_names(capsys.readouterr().out)
    assert floor[-1] == "commit, PostgreSQL"
    assert operations == ["silent authorization"]
