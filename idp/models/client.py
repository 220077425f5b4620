"""Relying parties and their secrets."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp.models.base import Model, new_id


class Client(Model):
    """A registered relying party. ``registration`` holds RFC 7591 member names."""

    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), index=True)
    registration: Mapped[dict[str, Any]]
    managed_by: Mapped[str] = mapped_column(String(32), default="command")
    """``command``, ``file`` or ``registration``: who keeps it, and so who may change it."""
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    secrets: Mapped[list["ClientSecret"]] = relationship(
        order_by="ClientSecret.created_at", cascade="all, delete-orphan", passive_deletes=True
    )


class ClientSecret(Model):
    """One of a client's secrets: 256 random bits, so that a plain SHA-256 is a safe hash."""

    __tablename__ = "client_secrets"

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(43))
    sealed: Mapped[str | None]
    """The secret itself, encrypted: only of clients whose secret signs or encrypts."""
    prefix: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
