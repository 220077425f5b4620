"""What is over is found without reading all that is not."""

import sqlalchemy as sa

from idp import indexes

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

expands = True

INDEXES = (
    ("ix_sessions_ended_at", "sessions", ["ended_at"], sa.column("ended_at").is_not(None)),
    ("ix_outbox_decoys", "outbox", ["created_at"], sa.column("kind") == "decoy"),
    ("ix_grants_user_id_session_id", "grants", ["user_id", "session_id"], None),
)


def upgrade() -> None:
    for name, table, columns, which in INDEXES:
        indexes.create(name, table, columns, which=which)


def downgrade() -> None:
    for name, table, *_ in reversed(INDEXES):
        indexes.drop(name, table)
