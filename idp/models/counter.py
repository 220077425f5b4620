"""Counters of attempts, shared by all processes."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model


class Counter(Model):
    """Attempts under one key since ``window_start``; moved by an upsert that returns the count."""

    __tablename__ = "counters"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    window_start: Mapped[datetime]
    expires_at: Mapped[datetime]
    """In no index, so that none is written to where it is counted; there is a row for as long as
    somebody has just tried, and upkeep reads them all."""
