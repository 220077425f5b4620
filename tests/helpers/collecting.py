"""Each worker begins to collect elsewhere, so that what one has compiled the others find.

They all collect everything. From the same beginning they would rewrite the assertions of one file
after the other at the same time, each for itself.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

Sized = tuple[Path, int]


def pytest_configure(config: pytest.Config) -> None:
    if (worker := getattr(config, "workerinput", None)) is not None:
        number = int(worker["workerid"].removeprefix("gw"))
        config.args = apart(config.args, part=number, parts=worker["workercount"])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers have to agree on the order, wherever they began."""
    items.sort(key=lambda item: item.path)


def apart(arguments: Sequence[str], *, part: int, parts: int) -> list[str]:
    """What to collect, the same for each ``part``, in another order.

    Only where a single folder is asked for: whoever names more has few files to wait for.
    """
    (folder, *others) = map(Path, arguments)
    if others or not folder.is_dir():
        return list(arguments)
    inside = [(one, size) for one in sorted(folder.iterdir()) if (size := _size(one))]
    begin = _where(inside, part / parts)
    return [str(one) for one, _ in (*inside[begin:], *inside[:begin])]


def _size(place: Path) -> int:
    """Bytes of tests; 0 of what has none."""
    files = place.rglob("test_*.py") if place.is_dir() else [place]
    return sum(one.stat().st_size for one in files if one.match("test_*.py"))


def _where(inside: Sequence[Sized], share: float) -> int:
    """The number of the first before which that share of the bytes has gone by."""
    passed, whole = 0, sum(size for _, size in inside)
    for number, (_, size) in enumerate(inside):
        if passed >= whole * share:
            return number
        passed += size
    return 0
