"""What was changed of the settings while the program ran."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model


class ChangedSetting(Model):
    """One setting by its name; where there is no row, what the program was started with holds."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(2000))
    """As it was typed: read by the same reader as in the file."""
    changed_at: Mapped[datetime]
