"""Pictures that administrators uploaded: logos."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model


class Picture(Model):
    """One picture, under the digest of its bytes: what has an address never changes."""

    __tablename__ = "pictures"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(32))
    body: Mapped[bytes]
    created_at: Mapped[datetime]
