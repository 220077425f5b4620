"""What refers to what without a foreign key: see ``idp.services.belongings``."""

from typing import Final

from sqlalchemy import Column

from idp.models import db

_LOOSE: Final = {
    "grants.user_id": "users.id",
    "grants.client_id": "clients.id",
    "grants.session_id": "sessions.id",
    "refresh_tokens.grant_id": "grants.id",
    "access_tokens.grant_id": "grants.id",
    "session_clients.client_id": "clients.id",
    "sessions.user_id": "users.id",
    "transactions.user_id": "users.id",
    "transactions.session_id": "sessions.id",
}


def references() -> dict[Column[str], Column[str]]:
    """Every column that refers to another, whether or not the database knows of it."""
    found = {_column(one): _column(other) for one, other in _LOOSE.items()}
    for table in db.metadata.tables.values():
        found |= {key.parent: key.column for key in table.foreign_keys}
    return found


def _column(name: str) -> Column[str]:
    table, _, column = name.partition(".")
    return db.metadata.tables[table].columns[column]
