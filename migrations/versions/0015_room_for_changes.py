"""Room for what is changed where it stands, and indexes of what is looked for.

PostgreSQL keeps what a row becomes beside what it was, and leaves every index as it is, where the
page has room and no column of an index is changed. A page that was filled to the last byte has
none, and a token that is used, or a session that is seen again, is then entered anew in all of
them.

Most events have no reference, and need no entry in an index of them. The first members of a group
are read in order, which nothing but an index has them in.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

expands = True

FILLED = {
    "grants": 90,
    "refresh_tokens": 90,
    "sessions": 90,
    "credentials": 90,
    "consents": 90,
    "counters": 80,
    "transactions": 50,
}
"""How full new pages are made, in percent; what is there stays as it is. What was is cleared away
as soon as somebody passes by, so there need be room for one or two rows, and a sign-in under way
is a large one."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, percent in FILLED.items():
            op.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")
    _index("ix_audit_events_referred", only_where="reference IS NOT NULL")
    op.drop_index("ix_audit_events_reference", "audit_events")
    op.create_index("ix_memberships_group_id_user_id", "memberships", ["group_id", "user_id"])
    op.drop_index("ix_memberships_group_id", "memberships")


def downgrade() -> None:
    op.create_index("ix_memberships_group_id", "memberships", ["group_id"])
    op.drop_index("ix_memberships_group_id_user_id", "memberships")
    _index("ix_audit_events_reference")
    op.drop_index("ix_audit_events_referred", "audit_events")
    if op.get_bind().dialect.name == "postgresql":
        for table in FILLED:
            op.execute(f"ALTER TABLE {table} RESET (fillfactor)")


def _index(name: str, *, only_where: str | None = None) -> None:
    which = sa.text(only_where) if only_where else None
    op.create_index(name, "audit_events", ["reference"], sqlite_where=which, postgresql_where=which)
