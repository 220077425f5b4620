"""What processes cost, from /proc: Linux only."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def _stat(pid: str) -> list[str]:
    """The fields of proc_pid_stat(5) from the third on: what stands before may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def parent_of(pid: int) -> int:
    return int(_stat(str(pid))[1])


def _family(root: int) -> Iterator[list[str]]:
    """The process and all that descend from it."""
    stats: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stats[int(entry.name)] = _stat(entry.name)
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended while we looked
    for pid, stat in stats.items():
        ancestor = pid
        while ancestor not in (0, root):
            ancestor = int(stats[ancestor][1]) if ancestor in stats else 0
        if ancestor == root:
            yield stat


def cpu_seconds(root: int) -> float:
    """User and system time of a process and all its descendants, those that ended included."""
    return sum(sum(map(int, stat[11:15])) for stat in _family(root)) * _TICK


def resident_bytes(root: int) -> int:
    """Resident memory of the largest of them: the one that works."""
    return max(int(stat[21]) for stat in _family(root)) * os.sysconf("SC_PAGE_SIZE")
