"""What is to be sent, committed together with what caused it."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String, column
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model, index_of_some

DECOY = "decoy"
"""The kind of a mail to nobody, so that an address without an account costs us what one with
costs."""


class OutboxMessage(Model):
    """One delivery: a mail, or a call to a relying party. Tried until sent or given up."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "sent_at", "failed_at", "next_attempt_at"),
        index_of_some("ix_outbox_decoys", "created_at", which=column("kind") == DECOY),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    kind: Mapped[str] = mapped_column(String(32))
    recipient: Mapped[str] = mapped_column(String(2000))
    payload: Mapped[str]
    """JSON. A mail's is encrypted with the deployment's keys, for it holds a link that signs in; a
    notice of a sign-out holds no secret, and is not."""
    created_at: Mapped[datetime]
    not_after: Mapped[datetime | None]
    """Past this it is of no use to anybody and is given up."""
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(400))
