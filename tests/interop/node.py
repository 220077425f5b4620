"""JavaScript libraries: installed as the lock file says, and talked to line by line."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_INSTALL = HERE.parents[1] / ".ci" / "node-packages"


class Failed(Exception):
    """The library refused; ``details`` is what its error said."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(f"{details.get('code')}: {details.get('message')}")
        self.details = details


def packages() -> Path:
    """The folder with the npm packages. Raises ``RuntimeError`` saying what is missing."""
    installed = subprocess.run([_INSTALL], capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        raise RuntimeError(installed.stderr.strip())
    return HERE / "node_modules"


class Program:
    """A running Node program that answers a line of JSON with a line of JSON."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def do(self, name: str, **details: Any) -> Any:
        """Have it done; returns what came of it. Raises ``Failed``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": name, **details}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the program ended at {name!r}"
        answer = json.loads(line)
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer["done"]


@contextmanager
def program(script: str) -> Iterator[Program]:
    """Run a script of this folder. Raises ``RuntimeError`` where Node or a package is missing."""
    packages()
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("Node is not installed: run .ci/system-packages")
    with subprocess.Popen(
        [node, str(HERE / script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Program(process)
        finally:
            process.terminate()
