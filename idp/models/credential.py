"""What a person can prove themselves with: one table for every kind of factor."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model
from idp.models.ids import new_id


class Credential(Model):
    """One authenticator of one person.

    ``kind`` is the factor's name; ``data`` belongs to that factor alone. ``counter`` only moves
    by a conditional update (TOTP's last step, a passkey's signature counter), and ``used_at`` is
    set once for credentials that work once (recovery codes).
    """

    __tablename__ = "credentials"
    __table_args__ = (
        UniqueConstraint("kind", "lookup"),
        Index("ix_credentials_user_id_kind", "user_id", "kind"),
    )

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    label: Mapped[str | None] = mapped_column(String(120))
    lookup: Mapped[str | None] = mapped_column(String(1400))
    """What finds it without knowing its owner (a WebAuthn credential id, base64url)."""
    counter: Mapped[int] = mapped_column(BigInteger, default=0)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
