"""What happened, in order, told without secrets."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, column
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model, index_of_some


class AuditEvent(Model):
    """One event, ``subject.action[.outcome]``, written in the transaction that caused it.

    There are no foreign keys: an event outlives the person and the client that it speaks of.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_user_id_id", "user_id", "id"),
        Index("ix_audit_events_client_id_id", "client_id", "id"),
        Index("ix_audit_events_name_id", "name", "id"),
        # Few have one.
        index_of_some(
            "ix_audit_events_referred", "reference", which=column("reference").is_not(None)
        ),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(64))
    actor_id: Mapped[str | None] = mapped_column(String(255))
    user_id: Mapped[str | None] = mapped_column(String(22))
    client_id: Mapped[str | None] = mapped_column(String(255))
    session_id: Mapped[str | None] = mapped_column(String(22))
    transaction_id: Mapped[str | None] = mapped_column(String(22))
    address: Mapped[str | None] = mapped_column(String(45))
    reference: Mapped[str | None] = mapped_column(String(16))
    """What an error page showed, so that it can be found here."""
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
