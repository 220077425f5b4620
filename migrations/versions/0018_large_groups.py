"""Groups that are known to be large, so that their members need not be counted for a list."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

expands = True


def upgrade() -> None:
    op.add_column(
        "groups", sa.Column("large", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("groups", "large")
