"""What processes cost, from /proc: Linux only."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def _stat(pid: str) -> list[str]:
    """The fields of proc_pid_stat(5) from the third on: what stands before may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def parent_of(pid: int) -> int:
    return int(_stat(str(pid))[1])


def _running(pid: int) -> float:
    """What its threads have used that are alive: to the nanosecond, where ``_stat`` has ticks."""
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # ended while we looked, or a kernel that does not keep it
    return total / 1e9


def family(root: int) -> dict[int, list[str]]:
    """The process and all that descend from it, with their fields as ``_stat`` has them."""
    stats: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stats[int(entry.name)] = _stat(entry.name)
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended while we looked
    return {pid: stat for pid, stat in stats.items() if root in _line(pid, stats)}


def _line(pid: int, stats: Mapping[int, list[str]]) -> Iterator[int]:
    """The process, its parent, and so on."""
    while pid:
        yield pid
        pid = int(stats[pid][1]) if pid in stats else 0


def cpu_seconds(root: int) -> float:
    """User and system time of a process and all its descendants, those that ended included."""
    total = 0.0
    for pid, stat in family(root).items():
        own, of_children = (sum(map(int, some)) * _TICK for some in (stat[11:13], stat[13:15]))
        # Both are at most what it was. Threads that have ended are in the first alone.
        total += max(own, _running(pid)) + of_children
    return total


def has_huge_pages(pid: int) -> bool:
    """Did the kernel give it some of those that were reserved (``vm.nr_hugepages``)?"""
    return "/anon_hugepage" in Path(f"/proc/{pid}/maps").read_text()


def resident_bytes(root: int) -> int:
    """Resident memory of the largest of them: the one that works."""
    return max(int(stat[21]) for stat in family(root).values()) * os.sysconf("SC_PAGE_SIZE")
