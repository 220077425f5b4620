"""A signal is seen to at once, also when it was not the main thread that it woke."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal, sys
from threading import Event, Thread
from time import sleep
from idp.cli.awake import wake_for_signals

ended = Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
if sys.argv[1] == "woken":
    wake_for_signals()
Thread(target=lambda: (sleep(0.5), print("asleep", flush=True), sleep(60)), daemon=True).start()
# From here on only the other thread is ever given one.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
ended.wait()
"""


@pytest.mark.parametrize("woken", [True, False], ids=["woken", "and it sleeps on where it is not"])
def test_a_signal_that_another_thread_was_given_wakes_the_main_one(*, woken: bool) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "woken" if woken else "left alone"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "asleep\n"
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(timeout=30 if woken else 1) == 0
        except subprocess.TimeoutExpired:
            assert not woken
        else:
            assert woken
    finally:
        process.kill()
        process.communicate()
