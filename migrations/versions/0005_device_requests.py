"""Device requests, and grants that are nobody's but the client's own."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OF_A_PERSON = {
    "user_id": sa.String(length=22),
    "acr": sa.String(length=255),
    "amr": sa.String(length=120),
    "auth_time": sa.DateTime(timezone=True),
}


def upgrade() -> None:
    with op.batch_alter_table("grants", schema=None) as batch_op:
        for name, kind in _OF_A_PERSON.items():
            batch_op.alter_column(name, existing_type=kind, nullable=True)

    op.create_table(
        "device_requests",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("device_hash", sa.String(length=43), nullable=False),
        sa.Column("user_code_hash", sa.String(length=43), nullable=False),
        sa.Column("user_code", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=400), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_id", sa.String(length=22), nullable=True),
        sa.Column("grant_id", sa.String(length=22), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_device_requests_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["grants.id"],
            name=op.f("fk_device_requests_grant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_device_requests_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_requests")),
        sa.UniqueConstraint("device_hash", name=op.f("uq_device_requests_device_hash")),
        sa.UniqueConstraint("user_code_hash", name=op.f("uq_device_requests_user_code_hash")),
    )
    with op.batch_alter_table("device_requests", schema=None) as batch_op:
        for name in ("client_id", "expires_at", "grant_id", "user_id"):
            batch_op.create_index(batch_op.f(f"ix_device_requests_{name}"), [name], unique=False)


def downgrade() -> None:
    op.drop_table("device_requests")
    # Tokens that clients had for themselves: the older program cannot tell whose they are.
    nobodys = "SELECT id FROM grants WHERE user_id IS NULL"
    for table in ("access_tokens", "refresh_tokens"):
        op.execute(f"DELETE FROM {table} WHERE grant_id IN ({nobodys})")  # noqa: S608  constants
    op.execute("DELETE FROM grants WHERE user_id IS NULL")
    with op.batch_alter_table("grants", schema=None) as batch_op:
        for name, kind in _OF_A_PERSON.items():
            batch_op.alter_column(name, existing_type=kind, nullable=False)
