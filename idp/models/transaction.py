"""The sign-in under way: one record that only advances."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model
from idp.models.ids import new_id


class Transaction(Model):
    """One request for a sign-in, from the moment it arrived until it was answered.

    ``version`` grows by one with every step, by a conditional update, so of two answers to the
    same step one advances the record and the other sees that it did. ``purpose`` is what it is
    for: ``parameters`` of an authorization request, or ``return_to``, a path of our own.
    """

    __tablename__ = "transactions"

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    browser_hash: Mapped[str] = mapped_column(String(43))
    version: Mapped[int] = mapped_column(default=0)
    user_id: Mapped[str | None] = mapped_column(String(22))
    """The pinned subject: once set, nobody else can finish this sign-in. Refers to nothing, like
    ``session_id``: see ``services.belongings``."""
    session_id: Mapped[str | None] = mapped_column(String(22))
    client_id: Mapped[str | None] = mapped_column(String(255))
    parameters: Mapped[dict[str, Any] | None]
    """The authorization request as it came: names to values, or to lists of values."""
    return_to: Mapped[str | None] = mapped_column(String(2000))
    state: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the steps remember: hints, ceremony secrets by factor, the account chosen."""
    answer: Mapped[str | None]
    """Where the browser was sent when it was done; set once."""
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
