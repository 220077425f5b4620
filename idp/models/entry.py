"""Short-lived values that are worth something once."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model


class Entry(Model):
    """A value under the hash of a secret handle, until it is taken, superseded or expires."""

    __tablename__ = "entries"
    __table_args__ = (Index("ix_entries_purpose_owner", "purpose", "owner"),)

    handle_hash: Mapped[str] = mapped_column(String(43), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32))
    owner: Mapped[str | None] = mapped_column(String(64))
    """Whose it is, so that a newer one can supersede all older ones."""
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
