"""Rows that every sign-in writes refer to nothing that the database has to look up and lock.

A foreign key locks the row that it refers to, which writes to that row's page: a person's, a
session's, and an application's, which all who sign in to it share. What such a key did when the
row went is done by ``idp.services.belongings``; what it kept from being written is worth nothing to
whoever reads it.

The version before this one still leaves it to PostgreSQL that a client takes its grants along, and
a client may be made anew under the same id. So a trigger sees to that, for as long as nodes of that
version may be about.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

expands = True

REFERENCES = (
    ("grants", "user_id", "users", "CASCADE"),
    ("grants", "client_id", "clients", "CASCADE"),
    ("grants", "session_id", "sessions", "SET NULL"),
    ("refresh_tokens", "grant_id", "grants", "CASCADE"),
    ("access_tokens", "grant_id", "grants", "CASCADE"),
    ("session_clients", "client_id", "clients", "CASCADE"),
    ("sessions", "user_id", "users", "CASCADE"),
    ("transactions", "user_id", "users", "CASCADE"),
    ("transactions", "session_id", "sessions", "SET NULL"),
)
"""Table, column, what it refers to, and what became of the row when that went."""

LEFT = {"CASCADE": "DELETE FROM {table}", "SET NULL": "UPDATE {table} SET {column} = NULL"}
NOBODYS = (
    "{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {referred} WHERE id = {table}.{column})"
)

WITH_CLIENT = """
CREATE FUNCTION client_takes_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM access_tokens WHERE grant_id IN (SELECT id FROM grants WHERE client_id = OLD.id);
    DELETE FROM refresh_tokens WHERE grant_id IN (SELECT id FROM grants WHERE client_id = OLD.id);
    DELETE FROM grants WHERE client_id = OLD.id;
    DELETE FROM session_clients WHERE client_id = OLD.id;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.drop_index("ix_counters_expires_at", "counters")
    for table in dict.fromkeys(table for table, *_ in REFERENCES):
        with op.batch_alter_table(table) as batch:
            for column in [column for name, column, *_ in REFERENCES if name == table]:
                batch.drop_constraint(f"fk_{table}_{column}", type_="foreignkey")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(WITH_CLIENT)
        op.execute(
            "CREATE TRIGGER takes_along AFTER DELETE ON clients "
            "FOR EACH ROW EXECUTE FUNCTION client_takes_along()"
        )


def downgrade() -> None:
    op.create_index("ix_counters_expires_at", "counters", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER takes_along ON clients")
        op.execute("DROP FUNCTION client_takes_along()")
    for table, column, referred, after in REFERENCES:
        left = f"{LEFT[after]} WHERE {NOBODYS}"
        op.execute(left.format(table=table, column=column, referred=referred))
        with op.batch_alter_table(table) as batch:
            batch.create_foreign_key(
                f"fk_{table}_{column}", referred, [column], ["id"], ondelete=after
            )
