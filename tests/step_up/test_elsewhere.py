"""The cases run against any issuer that a file describes: shown with a server of our own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.clock import system_clock
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.servers import serve
from tests.step_up.describing import describe
from tests.step_up.ours import ALIASES, Ours

ROOT = Path(__file__).resolve().parents[2]
QUICK = (
    "test_silent.py",
    "test_session.py::test_whoever_cancels_a_first_sign_in_is_refused",
    "test_missing.py::test_a_touch_beside_a_password_is_two_factors_and_resists_phishing",
    "test_person.py::test_another_persons_passkey_does_not_finish_a_step_up",
)
SLOW = "test_more_is_needed"
"""Waits for an app's next code."""


@pytest.fixture(scope="module")
def described(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A server, and the file about it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    settings = {
        "IDP_ARGON2_MEMORY_KIB": "8",
        "IDP_ARGON2_TIME": "1",
        "IDP_ACCOUNT_SECOND_STEP": "false",
        "IDP_ACR_ALIASES": json.dumps(ALIASES),
    }
    with databases.fresh("sqlite") as url, serve(url, folder, settings=settings) as (server,):
        ours = Ours(url, FakeClock(system_clock()), pace=1, issuer=server.url)
        file = folder / "issuer.toml"
        describe(ours, file, second_step=False)
        yield file


def run_cases(file: Path, *cases: str) -> subprocess.CompletedProcess[str]:
    folder = ROOT / "tests" / "step_up"
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]
    command += ["-k", f"not {SLOW}", "-p", "no:schemathesis", "-p", "no:anyio", "-p", "no:xdist"]
    return subprocess.run(
        [*command, f"--issuer-config={file}", *(str(folder / case) for case in cases)],
        cwd=ROOT,
        env={**os.environ, "CI": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_file_is_all_it_takes(described: Path) -> None:
    done = run_cases(described, *QUICK)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout, done.stdout


def test_an_issuer_that_is_not_described_whole_is_tested_as_far_as_it_is(
    described: Path, tmp_path: Path
) -> None:
    text = described.read_text(encoding="utf-8")
    partly = tmp_path / "issuer.toml"
    partly.write_text(text.partition('[["people"]]')[0], encoding="utf-8")
    done = run_cases(partly, "test_silent.py")
    assert done.returncode == 0, done.stdout
    assert "nobody in the file has just ['password']" in done.stdout
