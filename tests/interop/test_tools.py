"""What these tests need: the very same everywhere, and missing it is said in one line."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.interop.node import HERE, packages

INSTALL = Path(".ci/node-packages")


def test_the_lock_file_pins_contents_and_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    locked = {name: entry for name, entry in lock["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in locked.values())
    assert not any("resolved" in entry for entry in locked.values())


def test_installed_is_what_is_locked() -> None:
    locked = (HERE / "package-lock.json").read_text()
    assert (packages() / ".installed").read_text() == locked


def test_a_missing_npm_is_said_in_one_line(tmp_path: Path) -> None:
    root = HERE.parents[1]
    (tmp_path / ".ci").mkdir()
    (tmp_path / "tests/interop").mkdir(parents=True)
    shutil.copy(root / INSTALL, tmp_path / INSTALL)
    shutil.copy(HERE / "package-lock.json", tmp_path / "tests/interop")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "cmp", "dirname", "env", "flock"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    refused = subprocess.run(
        [tmp_path / INSTALL],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line == "Missing for the tests: npm. Install with: sudo apt-get install npm"
