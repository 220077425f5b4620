"""The memory that C libraries take: one heap for all threads."""

from ctypes import CDLL
from typing import Final

_M_ARENA_MAX: Final = -8  # mallopt(3)


def share() -> None:
    """Let what one thread has freed be the next one's; before there are threads.

    Otherwise glibc keeps it for the thread that had it, and any of a worker's threads hashes a
    password once in a while: a flood of sign-ins was seen to take six times as much. Other C
    libraries know no such thing, and are left alone.
    """
    if (mallopt := getattr(CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_ARENA_MAX, 1)
