"""Client secrets that must be read back, for signing and encrypting with them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("client_secrets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("client_secrets", schema=None) as batch_op:
        batch_op.drop_column("sealed")
