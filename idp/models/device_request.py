"""A device that waits for somebody to allow it something, in a browser elsewhere (RFC 8628)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model
from idp.models.ids import new_id


class DeviceRequest(Model):
    """One device authorization request, and what became of it.

    It is decided by ``UPDATE … WHERE decided_at IS NULL``: with a grant when it was allowed,
    without one when it was not. Its device code is claimed by ``UPDATE … WHERE used_at IS NULL``.
    """

    __tablename__ = "device_requests"

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    device_hash: Mapped[str] = mapped_column(String(43), unique=True)
    user_code_hash: Mapped[str] = mapped_column(String(43), unique=True)
    user_code: Mapped[str]
    """Sealed: the page that asks shows it again, to be compared with the device's."""
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    parameters: Mapped[dict[str, Any]]
    """The request as it came: names to values, or to lists of values."""
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(400))
    interval: Mapped[int]
    """Seconds that have to lie between two polls; grows when they do not."""
    polled_at: Mapped[datetime | None]
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    """Who decided."""
    grant_id: Mapped[str | None] = mapped_column(
        ForeignKey("grants.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    decided_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
