"""Every failure that we know, what is guaranteed in it, and where that is shown.

A table to read, and tests that what it names is there, that nothing is left out of it, and that
each file says what to break to see it fail.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ROWS = {
    "the database restarts before a step": (
        "a 503 that says when to come again, and never a skipped step",
        ["tests/failures/test_database_gone.py"],
    ),
    "a process is killed between a claim and what it buys": (
        "neither or both, and never two",
        ["tests/failures/test_killed.py", "tests/web/test_two_processes.py"],
    ),
    "two nodes are given the same thing": (
        "exactly one of them takes it",
        [
            "tests/services/test_redemption_race.py",
            "tests/factors/test_totp.py",
            "tests/factors/test_recovery_code.py",
            "tests/factors/test_passkey_races.py",
            "tests/web/test_two_processes.py",
        ],
    ),
    "the connection is cut at COMMIT": (
        "never a false success",
        ["tests/failures/test_commit.py"],
    ),
    "clocks are apart, or jump": (
        "half a minute goes unnoticed, and nothing comes back to life",
        ["tests/failures/test_clocks.py", "tests/factors/test_totp.py"],
    ),
    "Redis is gone, or emptied": (
        "the database counts, and nobody gains a guess or a replay",
        ["tests/failures/test_redis.py"],
    ),
    "the mail server refuses, stalls, or takes half": (
        "the same answer to everybody, and a mail once it can be had",
        ["tests/failures/test_mail_server.py", "tests/services/test_outbox.py"],
    ),
    "the disk is full": (
        "a 503, nothing half done, and what only reads goes on",
        ["tests/failures/test_disk_full.py", "tests/failures/test_database_gone.py"],
    ),
    "keys are rotated in traffic": (
        "nothing that was signed fails to verify",
        ["tests/conformance/test_keys.py", "tests/services/test_keys.py"],
    ),
    "a migration runs under load, or is killed": (
        "it is run again, and the last version's nodes go on meanwhile",
        [
            "tests/failures/test_migration.py",
            "tests/failures/test_indexes.py",
            "tests/failures/test_versions.py",
        ],
    ),
    "the version before meets what this one wrote": (
        "it reads it, or refuses loudly",
        ["tests/failures/test_versions.py", "tests/test_migrations.py"],
    ),
    "a backup is restored": (
        "what was used or ended since stays so",
        ["tests/failures/test_backup.py"],
    ),
    "everything goes from SQLite to PostgreSQL, or is killed on the way": (
        "all of it or nothing, and what was used stays used",
        ["tests/failures/test_transfer.py", "tests/test_transfer.py"],
    ),
    "the deployment's keys are lost, wrong, or replaced": (
        "it does not start, makes nothing up, and apps are set up again on record",
        ["tests/failures/test_deployment_keys.py"],
    ),
    "the primary dies and its standby takes over": (
        "keys and verification go on, and then everything does",
        ["tests/failures/test_failover.py"],
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_failure_has_its_tests(row: str) -> None:
    _, files = ROWS[row]
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_nothing_is_left_out_and_all_say_what_breaks_them() -> None:
    named = {file for _, files in ROWS.values() for file in files}
    here = {path for path in Path(__file__).parent.glob("test_*.py") if path.name != "test_rows.py"}
    assert here <= {ROOT / file for file in named}
    assert [path.name for path in here if "Mutation" not in path.read_text("utf-8")] == []
