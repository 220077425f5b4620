"""Relying parties and their secrets."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp.models.base import Model, by_bytes
from idp.models.ids import new_id


class Client(Model):
    """A registered relying party. ``registration`` holds RFC 7591 member names."""

    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), index=True)
    registration: Mapped[dict[str, Any]]
    managed_by: Mapped[str] = mapped_column(String(32), default="command")
    """Who keeps it, and so who may change it: ``command``, ``console``, ``file``, or
    ``registration``."""
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    registration_token_hash: Mapped[str | None] = mapped_column(String(43))
    """Of the token by which an application that registered itself keeps its registration."""
    first_used_at: Mapped[datetime | None]
    """When such an application was first allowed something, or first authenticated."""

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


class ClientWord(Model):
    """A word by whose beginning a client is found: of its name, its id, its redirect addresses.

    Written with the registration, by ``services.client_words``.
    """

    __tablename__ = "client_words"
    __table_args__ = (Index("ix_client_words_word_client_id", "word", "client_id"),)

    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True
    )
    word: Mapped[str] = mapped_column(by_bytes(40), primary_key=True)


class RegistrationToken(Model):
    """Lets whoever presents it register an application (RFC 7591 section 3), a few times.

    Each use is claimed by ``UPDATE … WHERE uses_left > 0``.
    """

    __tablename__ = "registration_tokens"

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(43), unique=True)
    prefix: Mapped[str] = mapped_column(String(8))
    uses_left: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
