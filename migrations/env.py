"""How Alembic reaches the database: over the connection that ``idp.migrate`` hands it."""

from typing import Any

from alembic import context

from idp.migrate import note_readers
from idp.models import db
from idp.models.base import Instant


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Write our column type as what it is in the database, so that a revision stands alone."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


def applied(ctx: Any, heads: set[str], **_told: Any) -> None:
    """In the transaction of the revision: of two that run at once, one writes it."""
    note_readers(ctx.connection, next(iter(heads), None))


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=db.metadata,
    render_as_batch=True,
    compare_type=True,
    transaction_per_migration=True,
    render_item=render_item,
    on_version_apply=applied,
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
