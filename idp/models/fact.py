"""What the database says of itself: how old a program may read it, when it was restored."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model


class Fact(Model):
    """One fact by its name; ``at`` is None for what has no instant."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime | None]
