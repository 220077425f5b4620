"""A real Redis on a port of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests.helpers.ports import free_port, wait_until


class RedisServer:
    """``url`` is for ``redis_url``. It keeps nothing on disk: ``stop`` loses everything."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers. Raises ``FileNotFoundError`` where there is none."""
        name = shutil.which("redis-server") or shutil.which("valkey-server")
        if name is None:
            raise FileNotFoundError("redis-server is not installed: run .ci/system-packages")
        where = [
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._process = subprocess.Popen(
            [name, *where], cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        wait_until(self._answers, seconds=20, what="Redis's start")

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def stop(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        """FLUSHALL."""
        with Redis.from_url(self.url) as client:
            client.flushall()

    def held(self) -> set[str]:
        """All that it holds."""
        with Redis.from_url(self.url, decode_responses=True) as client:
            return set(client.scan_iter())


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Started, and stopped at the end."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
