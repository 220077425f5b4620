"""Real server processes, as many as a test wants, against one database."""

import os
import signal
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx

from tests.helpers.plain import PLAIN
from tests.helpers.ports import free_port, wait_until

Command = Callable[[int], list[str]]
"""From the port to what is executed."""

TEST_KEY = urlsafe_b64encode(bytes(32)).decode()
"""What ``IDP_KEYS`` wants; worth nothing."""


def idp_serve(port: int) -> list[str]:
    """The production server."""
    return [sys.executable, "-m", "idp", "serve", "--host", "127.0.0.1", "--port", str(port)]


class Server:
    """One process. ``url`` is its origin; ``log`` collects what it prints."""

    def __init__(
        self, command: Command, port: int, environment: Mapping[str, str], folder: Path
    ) -> None:
        self.port = port
        self.url = f"http://localhost:{port}"
        self.log = folder / f"server-{port}.log"
        self._command = command(port)
        self._environment = environment
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process ID; raises ``RuntimeError`` while it does not run."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self, *, seconds: float = 30) -> None:
        """Start and wait for ``/healthz``. Raises ``TimeoutError`` or ``RuntimeError`` + log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=dict(self._environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until(self._healthy, seconds=seconds, what=f"/healthz of {self.url}")
        except (TimeoutError, RuntimeError) as error:
            error.add_note(self.output())
            self.kill()
            raise

    def _healthy(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"the server at {self.url} ended by itself")
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2, verify=PLAIN).is_success
        except httpx.TransportError:
            return False

    def stop(self, *, seconds: float = 15) -> None:
        """Ask it to end (SIGTERM) and wait; a server that does not is killed, and that raises."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it, and every worker it started, without warning (SIGKILL)."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            # start_new_session made the process the leader of a group of its own.
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def output(self) -> str:
        """What it has printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def environment(database_url: str, issuer: str, extra: Mapping[str, str]) -> dict[str, str]:
    """A child's environment: this one without the developer's settings, and the test's own."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("IDP_")}
    checkout = str(Path(__file__).resolve().parents[2])
    settings = {
        "IDP_ISSUER": issuer,
        "IDP_DATABASE_URL": database_url,
        "IDP_KEYS": TEST_KEY,
    }
    return inherited | {"PYTHONPATH": checkout} | settings | dict(extra)


@contextmanager
def serve(
    database_url: str,
    folder: Path,
    *,
    n: int = 1,
    settings: Mapping[str, str] | None = None,
    command: Command = idp_serve,
) -> Iterator[list[Server]]:
    """Run ``n`` servers on free ports with the same settings; the first one's URL is the issuer.

    ``settings`` are further environment variables (``IDP_MAIL_URL``, …). They start one after
    the other, and are stopped at the end.
    """
    ports = [free_port() for _ in range(n)]
    child = environment(database_url, f"http://localhost:{ports[0]}", settings or {})
    with ExitStack() as stack:
        servers = [Server(command, port, child, folder) for port in ports]
        for server in servers:
            stack.callback(server.stop)
            server.start()
        yield servers
