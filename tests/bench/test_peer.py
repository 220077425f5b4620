"""The comparison with another provider runs; which of them is dearer is nobody's assertion."""

import pytest

from tests.bench.peer.__main__ import main


def test_both_are_asked_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--seconds", "0.02", "--turns", "1", "--warm", "5", "--only", "userinfo"])
    printed = capsys.readouterr().out
    head, _, *rows = [line.split("|") for line in printed.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in head[1:4]] == ["operation", "server", "database"]
    assert [row[1].strip() for row in rows] == ["userinfo", "userinfo, opaque"]
