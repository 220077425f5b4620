"""Secrets of the deployment that outlive every key."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model


class StoredSecret(Model):
    """One secret by its name, made once and never changed; only what it is sealed with may be."""

    __tablename__ = "stored_secrets"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    sealed: Mapped[str]
    created_at: Mapped[datetime]
