"""Free loopback ports, and waiting for what should answer there."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from itertools import count, islice
from time import monotonic, sleep
from typing import Final

_OURS: Final = range(20_000, 32_000)
"""Below what the kernel gives to connections that go out: one of those may take a port before the
server does that it was looked up for."""
_NUMBERS: Final = count(os.getpid() * 1009)
"""Processes that were started one after the other begin far from one another."""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listened on a moment ago, and that nobody is given soon.

    Raises ``RuntimeError`` when there is none.
    """
    for number in islice(_NUMBERS, len(_OURS)):
        port = _OURS[number % len(_OURS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def wait_until(
    ready: Callable[[], bool], *, seconds: float, what: str, every: float = 0.05
) -> None:
    """Poll ``ready`` until it is true. Raises ``TimeoutError`` naming ``what`` when it never is."""
    deadline = monotonic() + seconds
    while not ready():
        if monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        sleep(every)
