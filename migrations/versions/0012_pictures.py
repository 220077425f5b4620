"""Pictures that were uploaded."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

expands = True


def upgrade() -> None:
    op.create_table(
        "pictures",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pictures")),
    )


def downgrade() -> None:
    op.drop_table("pictures")
