"""When somebody last signed in to a client, read from an index."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_session_clients_client_id_since", "session_clients", ["client_id", "since"])
    op.drop_index("ix_session_clients_client_id", "session_clients")


def downgrade() -> None:
    op.create_index("ix_session_clients_client_id", "session_clients", ["client_id"])
    op.drop_index("ix_session_clients_client_id_since", "session_clients")
