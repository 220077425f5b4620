"""A share of a core for a process, by control groups: Linux, and only who may make some."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from tests.bench.processes import family

PERIOD: Final = 100_000
"""Microseconds, as the kernel has it by itself: in less, what one core has put by and does not need
is missing on the other."""
_SECOND_VERSION: Final = Path("/sys/fs/cgroup")
_FIRST_VERSION: Final = _SECOND_VERSION / "cpu"


@contextmanager
def held(root: int, share: float) -> Iterator[bool]:
    """Let each descendant of this process have no more than the share of one core.

    False, and nothing is changed, where that cannot be done.
    """
    with ExitStack() as stack:
        try:
            for pid in family(root):
                if pid != root:
                    stack.enter_context(_group(pid, round(share * PERIOD)))
        except OSError:
            stack.close()
            yield False
        else:
            yield True


@contextmanager
def _group(pid: int, quota: int) -> Iterator[None]:
    """A group of its own for a process, which is in the one above all afterwards, without limits.

    Wherever it was before: whoever measures has started it, and ends it.
    """
    above = _FIRST_VERSION if _FIRST_VERSION.is_dir() else _SECOND_VERSION
    group = above / f"idp-bench-{os.getpid()}-{pid}"
    group.mkdir()
    try:
        for name, value in _limits(above, quota).items():
            (group / name).write_text(value)
        (group / "cgroup.procs").write_text(str(pid))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):  # it has ended
                (above / "cgroup.procs").write_text(str(pid))
    finally:
        group.rmdir()


def _limits(above: Path, quota: int) -> dict[str, str]:
    if above == _FIRST_VERSION:
        return {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(quota)}
    return {"cpu.max": f"{quota} {PERIOD}"}
