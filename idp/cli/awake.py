"""The main thread, woken for every signal.

Python calls a signal's handler in the main thread, once that runs again. A signal that comes while
it is about to wait for a lock, or that another thread was given, does not wake it: a worker that
was asked to end then was seen to wait until it was killed.
"""

import os
import signal
from threading import Thread, get_ident
from time import sleep
from typing import Final

_NUDGE: Final = signal.SIGURG
"""Means nothing here, and nothing by default either."""
_PAUSES: Final = (0.05, 0.5, 2)
"""Seconds before each nudge: the first may come too early as well."""


def wake_for_signals() -> None:
    """From now on. To be called in the main thread, once in a process."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    signal.signal(_NUDGE, lambda _number, _frame: None)
    Thread(target=_watch, args=(told, get_ident()), name="awake", daemon=True).start()


def _watch(told: int, main: int) -> None:
    while numbers := os.read(told, 1):
        if numbers[0] != _NUDGE:
            for pause in _PAUSES:
                sleep(pause)
                signal.pthread_kill(main, _NUDGE)
