"""The provider's signing keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model


class SigningKey(Model):
    """One key pair, from publication over signing to retirement; ``id`` is the ``kid``.

    It is published from ``published_at``, signs from ``signs_from`` until a younger key of the
    same algorithm does, and leaves the key set at ``removed_at``.
    """

    __tablename__ = "signing_keys"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    algorithm: Mapped[str] = mapped_column(String(8))
    public_jwk: Mapped[dict[str, Any]]
    private_jwk: Mapped[str]
    """The private JWK, encrypted with the deployment's keys."""
    published_at: Mapped[datetime]
    signs_from: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
