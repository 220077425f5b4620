"""The clients stand on their own: registered from their files, copied anywhere, run from there."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from idp.config import load_settings
from idp.factors import FACTORS
from idp.oidc.capabilities import capabilities_of
from idp.services.client_files import read_client_file
from idp.services.client_rules import ClientRules
from tests.clients.modules import CLIENTS
from tests.clients.provider import LEDGER
from tests.helpers.plain import PLAIN
from tests.helpers.ports import free_port, wait_until
from tests.helpers.servers import TEST_KEY

NAMES = ("shop", "ledger")
PYTHON_FILES = sorted(CLIENTS.glob("*/*.py"))


@pytest.fixture
def rules() -> ClientRules:
    settings = load_settings(environ={}, issuer="http://localhost:8000", keys=TEST_KEY)
    return ClientRules(settings, capabilities_of(settings), ways=FACTORS)


@pytest.mark.parametrize("name", NAMES)
def test_the_registration_is_a_good_one(name: str, rules: ClientRules):
    members = dict(read_client_file(CLIENTS / name / "client.toml").members)
    assert members.pop("client_secret") == {"file": "client.secret", "generate": True}
    assert not rules.parse(members).is_public


def test_the_ledger_is_named_as_its_tokens_name_it():
    members = tomllib.loads((CLIENTS / "ledger" / "client.toml").read_text())
    assert members["client_id"] == LEDGER


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_of_the_provider_is_imported(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not [name for name in node.names if name.name.split(".")[0] == "idp"]
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "idp"


@pytest.mark.parametrize("name", ["step_up.py", "step_up_asgi.py", "access_tokens.py"])
def test_what_is_meant_to_be_copied_needs_no_neighbour(name: str):
    neighbours = {path.stem for path in (CLIENTS / "ledger").glob("*.py")}
    for node in ast.walk(ast.parse((CLIENTS / "ledger" / name).read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.module not in neighbours


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[str]:
    """``python app.py`` in a folder that nobody knows, from another one; yields its address."""
    port = free_port()
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PORT", "HOST")}
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(folder / "app.py")],
        cwd=folder.parent,
        env={**inherited, "PORT": str(port), **environment},
        stderr=subprocess.PIPE,
    )
    url = f"http://localhost:{port}"

    def answers() -> bool:
        assert process.poll() is None, process.communicate()[1].decode()
        try:
            return httpx.get(f"{url}/healthz", verify=PLAIN, trust_env=False).is_success
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, seconds=30, what=url)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        _, printed = process.communicate(timeout=10)
    assert printed == b""


def test_a_copy_runs_elsewhere(tmp_path: Path):
    for name in NAMES:
        shutil.copytree(CLIENTS / name, tmp_path / name)
        (tmp_path / name / "client.secret").write_text("s" * 40 + "\n")
    with ExitStack() as stack:
        shop, ledger = (stack.enter_context(started(tmp_path / name)) for name in NAMES)
        assert "Lampwright" in httpx.get(shop, verify=PLAIN, trust_env=False).text
        assert httpx.get(f"{shop}/static/shop.css", verify=PLAIN, trust_env=False).is_success
        assert httpx.get(f"{ledger}/balance", verify=PLAIN, trust_env=False).status_code == 401


@pytest.mark.parametrize("name", NAMES)
def test_without_its_secret_it_says_what_to_do(name: str, tmp_path: Path):
    shutil.copytree(CLIENTS / name, tmp_path / name)
    (tmp_path / name / "client.secret").unlink(missing_ok=True)
    ended = subprocess.run(
        [sys.executable, str(tmp_path / name / "app.py")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 1
    assert "idp clients apply" in ended.stderr
    assert ended.stderr.count("\n") == 1
