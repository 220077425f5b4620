"""Which clients a session has signed in to."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "session_clients",
        sa.Column("session_id", sa.String(length=22), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_session_clients_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_session_clients_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "client_id", name=op.f("pk_session_clients")),
    )
    with op.batch_alter_table("session_clients", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_clients_client_id"), ["client_id"])
    # Sessions that are open now end one day as well, and their clients shall hear of it.
    op.execute(
        "INSERT INTO session_clients (session_id, client_id, since) "
        "SELECT session_id, client_id, MIN(created_at) FROM grants "
        "WHERE session_id IS NOT NULL GROUP BY session_id, client_id"
    )


def downgrade() -> None:
    op.drop_table("session_clients")
