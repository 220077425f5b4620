"""People found by the beginning of a name, and listed by state, however many there are."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LISTED = {
    "ix_users_disabled": "disabled_at IS NOT NULL",
    "ix_users_leaving": "deletion_due_at IS NOT NULL",
    "ix_users_unverified": "email_verified IS false",
    "ix_users_role": "role IS NOT NULL",
}
TEXTS = {"email": 320, "username": 64, "name": 255}


def upgrade() -> None:
    _sort_texts('"C"')
    for name, which in LISTED.items():
        op.create_index(
            name,
            "users",
            ["email"],
            unique=False,
            sqlite_where=sa.text(which.replace("false", "0")),
            postgresql_where=sa.text(which),
        )


def downgrade() -> None:
    for name in LISTED:
        op.drop_index(name, table_name="users")
    _sort_texts('"default"')


def _sort_texts(collation: str) -> None:
    """On PostgreSQL only: SQLite compares bytes anyhow."""
    if op.get_bind().dialect.name == "postgresql":
        for column, length in TEXTS.items():
            op.execute(
                f"ALTER TABLE users ALTER {column} TYPE VARCHAR({length}) COLLATE {collation}"
            )
