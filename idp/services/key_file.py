"""Who else may read the file with the deployment's keys."""

import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

Told = tuple[Literal["ok", "warning"], str]

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MOUNTS: Final = Path("/proc/self/mountinfo")


def who_reads(path: Path | None, mounts: str | None = None) -> Told:
    """None: the keys come by a variable.

    ``mounts`` as in proc_pid_mountinfo(5); None: those of this process.
    """
    if path is None:
        return "ok", "the keys come from the environment"
    if not path.stat().st_mode & _OTHERS:
        return "ok", f"{path} is its owner's only"
    real = path.resolve()
    if any(not folder.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH) for folder in real.parents):
        return "ok", f"{path} is in a folder that is its owner's only"
    # As containers are given secrets: for whoever runs in them, and its mode is the host's.
    if is_handed_in(real, _mounts() if mounts is None else mounts):
        return "ok", f"{path} is mounted into this place, read-only"
    return "warning", f"others may read {path}: chmod 600 {path}"


def is_handed_in(path: Path, mounts: str) -> bool:
    """Is it, or a folder it is in, mounted read-only? ``mounts`` as in proc_pid_mountinfo(5)."""
    found = {Path(_unescaped(place)): how for place, how in map(_place, mounts.splitlines())}
    nearest = next((place for place in (path, *path.parents) if place in found), Path("/"))
    return nearest != Path("/") and "ro" in found[nearest].split(",")


def _place(line: str) -> tuple[str, str]:
    """Where, and how."""
    words = line.split(" ")
    return words[4], words[5]


def _unescaped(text: str) -> str:
    for escaped, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(escaped, character)
    return text


def _mounts() -> str:
    """Nothing where that cannot be asked: not on Linux."""
    with suppress(OSError):
        return _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    return ""
