"""What is over is found without reading all that is not, and a grant is in one index less."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Without the index by session alone, older code reads all grants to find those of one, and finds
# the same.
expands = True

INDEXES = (
    ("ix_sessions_ended_at", "sessions", "ended_at", sa.column("ended_at").is_not(None)),
    ("ix_outbox_decoys", "outbox", "created_at", sa.column("kind") == "decoy"),
)


def upgrade() -> None:
    for name, table, column, which in INDEXES:
        op.create_index(name, table, [column], sqlite_where=which, postgresql_where=which)
    op.create_index("ix_grants_user_id_session_id", "grants", ["user_id", "session_id"])
    for column in ("user_id", "session_id"):
        op.drop_index(f"ix_grants_{column}", "grants")


def downgrade() -> None:
    for column in ("session_id", "user_id"):
        op.create_index(f"ix_grants_{column}", "grants", [column])
    op.drop_index("ix_grants_user_id_session_id", "grants")
    for name, table, *_ in INDEXES:
        op.drop_index(name, table)
