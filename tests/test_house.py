"""The house keeps its own rules: small code, honest checks, a wheel that has all it needs."""

import ast
import os
import shutil
import socket
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from grimp import ImportGraph
from pytest_socket import SocketConnectBlockedError

from idp.resources import ResourceName, resource_dir
from tests.helpers.contracts import OnlyStdlib

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "idp").rglob("*.py"))
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
Function = ast.FunctionDef | ast.AsyncFunctionDef


def run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def functions() -> Iterator[tuple[str, int]]:
    """Name and length in lines, without the docstring, of every function of the program."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                docstring = ast.get_docstring(node, clean=False) or ""
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                shown = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                yield shown, length - len(docstring.splitlines())


def test_files_are_short() -> None:
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in MODULES}
    assert {name: number for name, number in lines.items() if number > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    lengths = dict(functions())
    assert {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION} == {}
    cuts = statistics.quantiles(lengths.values(), n=20)
    assert cuts[9] <= 8, "half of all functions"
    assert cuts[18] <= 25, "19 of 20 functions"


def test_a_factor_is_named_in_its_own_module_only() -> None:
    factors = {path.stem for path in (ROOT / "templates" / "factors").glob("*.html")}
    pages = [*(ROOT / "idp/web").rglob("login*.py"), *(ROOT / "idp/web/account").rglob("*.py")]
    assert len(pages) > 10
    named = [
        f"{path.name}:{node.lineno} {node.value}"
        for path in pages
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in factors
    ]
    assert factors
    assert named == []


def ruff(code: str, filename: str) -> str:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise"]
    checked = subprocess.run(
        [*command, "--stdin-filename", filename, "-"],
        cwd=ROOT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    return checked.stdout


READERS = {
    "datetime.now": "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n",
    "time.time": "import time\n\nNOW = time.time()\n",
    "imported time": "from time import time_ns\n\nNOW = time_ns()\n",
}


@pytest.mark.parametrize("code", READERS.values(), ids=READERS)
def test_only_the_clock_reads_the_time(code: str) -> None:
    assert "Time is an argument" in ruff(code, "idp/services/sessions.py")
    assert "Time is an argument" not in ruff(code, "idp/clock.py")


def test_the_pure_packages_are_kept_pure() -> None:
    graph = ImportGraph()
    for module in ("idp", "idp.assurance", "idp.assurance.acr", "idp.protocol", "idp.clock"):
        graph.add_module(module)
    for external in ("enum", "attrs"):
        graph.add_module(external, is_squashed=True)
    contract = OnlyStdlib("pure", {}, {"modules": ["idp.assurance", "idp.protocol"]})
    graph.add_import(importer="idp.assurance", imported="idp.assurance.acr")
    graph.add_import(importer="idp.protocol", imported="enum")
    assert contract.check(graph, verbose=False).kept
    graph.add_import(importer="idp.assurance.acr", imported="attrs")
    graph.add_import(importer="idp.protocol", imported="idp.clock")
    broken = contract.check(graph, verbose=False)
    assert not broken.kept
    assert broken.metadata["broken"] == [
        "idp.assurance.acr -> attrs",
        "idp.protocol -> idp.clock",
    ]


ESCAPES = {
    "a_skip": "@pytest.mark.skip('no browser')\ndef test_it(): pass",
    "a_skip_within": "def test_it(): pytest.skip('no browser')",
    "an_expected_failure": "@pytest.mark.xfail\ndef test_it(): assert 0",
    "a_tolerated_success": "@pytest.mark.xfail(strict=False)\ndef test_it(): pass",
    "a_missing_module": "pytest.importorskip('nowhere')\ndef test_it(): pass",
}


RULE = "tests.helpers.nothing_skipped"


@pytest.fixture
def escapes(tmp_path: Path) -> list[str]:
    """How to run tests each of which gets out of something."""
    for name, code in ESCAPES.items():
        (tmp_path / f"test_{name}.py").write_text(f"import pytest\n{code}\n")
    config = f"--config-file={ROOT / 'pyproject.toml'}"
    # Without what takes long to load and has no part in it.
    spared = ["-p", "no:schemathesis", "-p", "no:anyio", "-p", "no:xdist"]
    own = [
        *spared,
        "-p",
        RULE,
        config,
        "--continue-on-collection-errors",
        str(tmp_path),
    ]
    return [sys.executable, "-m", "pytest", *own]


def test_it_is_so_for_all_tests(request: pytest.FixtureRequest) -> None:
    assert request.config.pluginmanager.hasplugin(RULE)


def test_a_developer_may_skip(escapes: list[str]) -> None:
    lenient = run(*escapes, CI="")
    assert lenient.returncode == 0, lenient.stdout + lenient.stderr
    assert "3 skipped, 1 xfailed, 1 xpassed" in lenient.stdout


@pytest.mark.parametrize(
    ("option", "ci"), [("--nothing-skipped", ""), ("-q", "true")], ids=["make test", "CI"]
)
def test_whoever_decides_lets_nothing_be_skipped(escapes: list[str], option: str, ci: str) -> None:
    strict = run(*escapes, option, CI=ci)
    assert strict.returncode == 1, strict.stdout + strict.stderr
    assert "3 failed, 2 errors" in strict.stdout
    for name in ESCAPES:
        assert f"test_{name}" in strict.stdout
    assert strict.stdout.count("nothing may be skipped or expected to fail here: ") >= len(ESCAPES)


def test_the_tests_cannot_reach_the_internet() -> None:
    # The blocking error warns as it is made, and here a warning is an error.
    with pytest.raises((SocketConnectBlockedError, UserWarning), match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_make_says_what_there_is() -> None:
    listed = run("make", "--no-print-directory")
    assert [line.split()[1] for line in listed.stdout.splitlines()] == [
        "help",
        "demo",
        "test",
        "test-lowest",
        "check",
        "lock",
        "bench",
        "bench-peer",
    ]


def test_what_the_tests_miss_is_said_in_one_line(tmp_path: Path) -> None:
    for tool in ("bash", "env", "id"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    checked = run(str(ROOT / ".ci/system-packages"), PATH=str(tmp_path))
    assert checked.returncode == 1
    (line,) = checked.stdout.splitlines()
    assert line.startswith("Missing for the tests: chromium")
    assert "sudo apt-get install chromium" in line


def test_the_wheel_carries_what_the_program_reads(tmp_path: Path) -> None:
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    names = [name for name in get_args(ResourceName) if (ROOT / name).is_dir()]
    asking = "import sys; from idp.resources import resource_dir as d; print(*map(d, sys.argv[1:]))"
    told = run(sys.executable, "-c", asking, *names, cwd=tmp_path, PYTHONPATH=str(unpacked))
    bundled = [unpacked / "idp" / "_bundled" / name for name in names]
    assert told.stdout.split() == [str(folder) for folder in bundled]
    bundled.append(unpacked / "idp/static")
    originals = [ROOT / name for name in [*names, "idp/static"]]
    assert [contents(folder) for folder in bundled] == [contents(folder) for folder in originals]


def contents(folder: Path) -> set[str]:
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    return {name for name in files if "__pycache__" not in name and not name.endswith(".secret")}


def test_the_checkouts_own_folders_come_first() -> None:
    assert resource_dir("templates") == ROOT / "templates"
