"""A grant is in one index less: who looks for the grants of a session says whose they are."""

from idp import indexes

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Code of before 0019 looks by the session alone, and would read all grants.
contracts = True

COLUMNS = ("user_id", "session_id")


def upgrade() -> None:
    for column in COLUMNS:
        indexes.drop(f"ix_grants_{column}", "grants")


def downgrade() -> None:
    for column in COLUMNS:
        indexes.create(f"ix_grants_{column}", "grants", [column])
