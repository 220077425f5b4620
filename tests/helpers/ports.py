"""Free loopback ports, and waiting for what should answer there."""

import socket
from collections.abc import Callable
from time import monotonic, sleep


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    ready: Callable[[], bool], *, seconds: float, what: str, every: float = 0.05
) -> None:
    """Poll ``ready`` until it is true. Raises ``TimeoutError`` naming ``what`` when it never is."""
    deadline = monotonic() + seconds
    while not ready():
        if monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        sleep(every)
