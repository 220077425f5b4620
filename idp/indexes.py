"""Indexes of tables that others go on writing to, as a migration makes and removes them.

On PostgreSQL an index is made CONCURRENTLY: that takes longer, outside a transaction, and nobody
waits for it. One whose making was cut short lies there invalid (sql-createindex, "Building Indexes
Concurrently"): it is kept up to date and answers nothing. So that one is removed and made anew, and
one that is whole is left as it is: a revision of these may be begun again wherever it was killed.
What else a revision does before them is committed by then, so let it do nothing else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from alembic import op
from sqlalchemy import ColumnElement, text

_BROKEN: Final = text(
    "SELECT NOT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = to_regclass(:name)"
)


def create(
    name: str, table: str, columns: Sequence[str], *, which: ColumnElement[bool] | None = None
) -> None:
    """Make an index, of the rows ``which`` where not of all, unless it is there and whole."""
    if not _is_postgresql():
        op.create_index(name, table, [*columns], sqlite_where=which)
        return
    with _beside_others():
        if op.get_bind().scalar(_BROKEN, {"name": name}):
            _drop(name, table)
        how: dict[str, Any] = {"postgresql_concurrently": True, "postgresql_where": which}
        op.create_index(name, table, [*columns], if_not_exists=True, **how)


def drop(name: str, table: str) -> None:
    """Remove an index, if it is there."""
    if not _is_postgresql():
        op.drop_index(name, table, if_exists=True)
        return
    with _beside_others():
        _drop(name, table)


def _drop(name: str, table: str) -> None:
    op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


@contextmanager
def _beside_others() -> Iterator[None]:
    """Outside a transaction, for as long as it takes: it waits for those who began before it, and
    nobody but another change of this table waits for it."""
    with op.get_context().autocommit_block():
        for limit in ("lock_timeout", "statement_timeout"):
            op.execute(f"SET {limit} = 0")
        yield
        for limit in ("lock_timeout", "statement_timeout"):
            op.execute(f"RESET {limit}")
