"""Memory: what C libraries take of it, and what of it Python looks through for cycles."""

import gc
from ctypes import CDLL
from typing import Final

_M_ARENA_MAX: Final = -8  # mallopt(3)
_LOOK_AFTER: Final = 10_000
"""Objects that were made and are still there, after which those are looked through for cycles. A
request makes some hundreds, and next to none of them is in one."""


def share() -> None:
    """Let what one thread has freed be the next one's; before there are threads.

    Otherwise glibc keeps it for the thread that had it, and any of a worker's threads hashes a
    password once in a while: a flood of sign-ins was seen to take six times as much. Other C
    libraries know no such thing, and are left alone.
    """
    if (mallopt := getattr(CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_ARENA_MAX, 1)


def loaded() -> None:
    """What is there by now stays for good: nothing looks through it for cycles any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_LOOK_AFTER, *gc.get_threshold()[1:])
