"""People and the groups they belong to."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ForeignKey, Index, String, Table, column, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp.models.base import Model, by_bytes, index_of_some
from idp.models.ids import new_id

LISTED: Final = {
    "ix_users_disabled": column("disabled_at").is_not(None),
    "ix_users_leaving": column("deletion_due_at").is_not(None),
    "ix_users_unverified": column("email_verified").is_(False),
    "ix_users_role": column("role").is_not(None),
}
"""Whom an administrator lists apart from all others, by address: one small index each."""

membership = Table(
    "memberships",
    Model.metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_memberships_group_id_user_id", "group_id", "user_id"),
)


class Group(Model):
    """A named set of people, told to relying parties by the ``groups`` scope."""

    __tablename__ = "groups"

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    large: Mapped[bool] = mapped_column(default=False)
    """Did it have a thousand members when ``services.group_sizes`` last looked?"""


class User(Model):
    """A person. ``id`` is the public ``sub``; ``webauthn_handle`` is the id authenticators keep."""

    __tablename__ = "users"
    __table_args__ = tuple(
        index_of_some(name, "email", which=which) for name, which in LISTED.items()
    )

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(by_bytes(320), unique=True)
    """Normalised by ``services.accounts.normalise_email``, the only place that does."""
    email_verified: Mapped[bool] = mapped_column(default=False)
    username: Mapped[str | None] = mapped_column(by_bytes(64), unique=True)
    name: Mapped[str | None] = mapped_column(by_bytes(255), index=True)
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Further standard claims under their names (OpenID Connect Core 5.1)."""
    role: Mapped[str | None] = mapped_column(String(32))
    webauthn_handle: Mapped[str] = mapped_column(String(86), unique=True)
    """64 random bytes, base64url: never the account id (WebAuthn §14.6.1)."""
    disabled_at: Mapped[datetime | None]
    deletion_due_at: Mapped[datetime | None]
    passkey_prompt_after: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, onupdate=text("version + 1"))
    """Grows with every change, whoever makes it: so that nobody overwrites one unseen."""

    groups: Mapped[list[Group]] = relationship(secondary=membership, order_by=Group.name)

    @property
    def display_name(self) -> str:
        """What a page calls this person."""
        return self.name or self.username or self.email


class PersonWord(Model):
    """A word by whose beginning a person is found: of her name, her address, her user name.

    Written with the account, by ``services.person_words``.
    """

    __tablename__ = "person_words"

    # In this order, which is how they are read; an index of five alike in a row takes little.
    word: Mapped[str] = mapped_column(by_bytes(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
