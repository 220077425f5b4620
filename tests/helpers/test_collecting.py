"""Workers that collect the same do not begin at the same file."""

from pathlib import Path

import pytest

from tests.helpers.collecting import apart


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sizes = {"a/test_a.py": 30, "a/helper.py": 900, "b/c/test_b.py": 30, "test_d.py": 30, "e.py": 9}
    for name, size in sizes.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#" * size)
    return tmp_path


def test_each_begins_with_another_share_and_all_have_all(folder: Path) -> None:
    found = [apart([str(folder)], part=part, parts=3) for part in range(3)]
    assert [[Path(one).name for one in order] for order in found] == [
        ["a", "b", "test_d.py"],
        ["b", "test_d.py", "a"],
        ["test_d.py", "a", "b"],
    ]


def test_what_is_named_is_collected_as_it_was_named(folder: Path) -> None:
    some = [str(folder / "a"), str(folder / "test_d.py::test_x")]
    assert apart(some, part=1, parts=2) == some
    assert apart(some[1:], part=1, parts=2) == some[1:]
