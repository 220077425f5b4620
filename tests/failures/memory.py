"""What servers' workers hold in memory, measured time and again: does it stay flat?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LONG: Final = 100
"""Measurements of one process that say something of its growth."""
ROOM: Final = 8 * 1024
"""Kibibytes that may be more at the end than when it had warmed up."""


@dataclass
class Memory:
    """Kibibytes by process, as they were measured."""

    sizes: dict[int, list[int]] = field(default_factory=dict)

    def measure(self, server: int) -> None:
        """What the workers of the server with this process id hold now."""
        for pid in children(server):
            found = Path(f"/proc/{pid}/statm").read_text().split()[1]
            self.sizes.setdefault(pid, []).append(int(found) * 4)

    def told(self) -> Iterator[str]:
        """Of each process, from when it had warmed up."""
        for pid, sizes in self.sizes.items():
            warm = sizes[min(10, len(sizes) // 2) :]
            yield f"  process {pid}: {warm[0] // 1024} MiB, at the end {warm[-1] // 1024} MiB"

    def grew(self) -> list[str]:
        """Those that lived long, and held more in their last quarter than in their second."""
        return [
            f"process {pid} grew from {before // 1024} to {after // 1024} MiB"
            for pid, sizes in self.sizes.items()
            if len(sizes) >= LONG
            for quarter in [len(sizes) // 4]
            for before in [max(sizes[quarter : 2 * quarter])]
            for after in [max(sizes[-quarter:])]
            if after > before + ROOM
        ]


def children(pid: int) -> list[int]:
    """The workers of a server."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found if Path(f"/proc/{one}/statm").exists()]
