"""The next version of the program, which has two more migrations: a copy that runs by itself."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from idp.migrate import head
from tests.helpers.servers import Command, environment

ROOT = Path(__file__).resolve().parents[2]
REVISION = "9002"

_MIGRATION = '''"""What the next version needs."""

import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{before}"
branch_labels = None
depends_on = None

expands = {expands}


def upgrade() -> None:
    op.create_table("novelties", sa.Column("id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("sessions") as batch:
        batch.add_column(sa.Column("novelty", sa.String(length=20), nullable=True))
    with op.batch_alter_table("grants") as batch:
        batch.add_column(sa.Column("novelty", sa.String(length=20), server_default="new"))


def downgrade() -> None:
    with op.batch_alter_table("grants") as batch:
        batch.drop_column("novelty")
    with op.batch_alter_table("sessions") as batch:
        batch.drop_column("novelty")
    op.drop_table("novelties")
'''

_INDEX = '''"""An index of a table that everybody writes to."""

from idp import indexes

revision = "{revision}"
down_revision = "9001"
branch_labels = None
depends_on = None

expands = {expands}


def upgrade() -> None:
    indexes.create("ix_grants_novelty", "grants", ["novelty"])


def downgrade() -> None:
    indexes.drop("ix_grants_novelty", "grants")
'''


@dataclass(frozen=True)
class NextVersion:
    """Its ``folder`` holds what a checkout does."""

    folder: Path

    def run(self, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The ``idp`` command of that version."""
        return subprocess.run(
            [sys.executable, "-m", "idp", *arguments],
            cwd=self.folder,
            env=environment(url, "https://id.example.com", self.path),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def path(self) -> Mapping[str, str]:
        """What lets Python find it, and not this one."""
        return {"PYTHONPATH": os.pathsep.join([str(self.folder), str(ROOT)])}

    @property
    def serve(self) -> Command:
        """A node of it."""
        return lambda port: [sys.executable, "-m", "tests.failures.node", str(port)]


def next_version(folder: Path, *, expands: bool) -> NextVersion:
    """``expands`` says that its migration only adds what this version may ignore."""
    for name in ("idp", "migrations", "templates", "clients"):
        shutil.copytree(ROOT / name, folder / name)
    versions = folder / "migrations" / "versions"
    for name, text in (("9001_novelty", _MIGRATION), (f"{REVISION}_index", _INDEX)):
        filled = text.format(revision=REVISION, before=head(), expands=expands)
        (versions / f"{name}.py").write_text(filled)
    return NextVersion(folder)
