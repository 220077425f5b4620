"""The demo's processes: started, watched, and stopped together."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from idp.cli.refusals import Refused
from idp.secrecy import private_file, private_folder

PATIENCE: Final = 30
"""Seconds for a program to answer, and then again for it to end."""


@dataclass(frozen=True, slots=True)
class Program:
    """One to be run; ``environment`` is added to ours."""

    name: str
    command: Sequence[str]
    folder: Path
    port: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Running:
    """One that runs; what it says goes into ``log``."""

    program: Program
    process: subprocess.Popen[bytes]
    log: Path

    def insist(self) -> None:
        """Raises ``Refused`` when it has ended."""
        if self.process.poll() is not None:
            raise Refused(f"{self.program.name} ended by itself: {_last_line(self.log)}")

    def wait(self) -> None:
        """Until it takes connections. Raises ``Refused``."""
        deadline = monotonic() + PATIENCE
        while not is_taken(self.program.port):
            self.insist()
            if monotonic() > deadline:
                raise Refused(f"{self.program.name} does not answer: see {self.log}.")
            sleep(0.05)

    def stop(self) -> None:
        """End it, gently at first."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=PATIENCE)
        self.process.kill()
        self.process.wait()


@contextmanager
def running(programs: Sequence[Program], logs: Path) -> Iterator[Sequence[Running]]:
    """Run them, one after the other, each once the one before answers; stop them at the end."""
    private_folder(logs)
    started: list[Running] = []
    with ExitStack() as stack:
        for program in programs:
            one = _start(program, logs / f"{program.name}.log")
            stack.callback(one.stop)
            started.append(one)
            one.wait()
        yield started


def _start(program: Program, log: Path) -> Running:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    with open(log, "wb", opener=private_file) as output:
        process = subprocess.Popen(  # noqa: S603  our own commands
            program.command,
            cwd=program.folder,
            env={**inherited, **program.environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for us alone: we stop the others in order.
            start_new_session=True,
        )
    return Running(program, process, log)


def python(*arguments: str) -> list[str]:
    """A command of this very interpreter."""
    return [sys.executable, *arguments]


def is_taken(port: int) -> bool:
    """Does anybody listen on this port of the machine?"""
    with suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
        return True
    return False


def watch(started: Sequence[Running]) -> None:
    """For ever. Raises ``Refused`` when one ends by itself."""
    while True:
        for one in started:
            one.insist()
        sleep(0.5)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM be an ordinary end, also where the shell has Ctrl-C ignored."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'it said nothing'} (see {log})"
