"""What a person allowed a client: the grant, the tokens it bought, the consent remembered."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model
from idp.models.ids import new_id


class Grant(Model):
    """One authorization, with the code that redeems it.

    The code is claimed by ``UPDATE … WHERE code_used_at IS NULL``. A JWT access token is no row:
    it names its grant, and a grant that has ended has taken its tokens along.

    Neither ids here nor ``grant_id`` of tokens refer to anything that the database checks: see
    ``services.belongings``.
    """

    __tablename__ = "grants"
    __table_args__ = (Index("ix_grants_user_id_session_id", "user_id", "session_id"),)

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(String(255), index=True)
    user_id: Mapped[str | None] = mapped_column(String(22))
    """Whose it is; None where a client acts for itself. Then nothing was proved, either."""
    session_id: Mapped[str | None] = mapped_column(String(22))
    """Of the same person: whoever looks for the grants of a session says whose it is, too."""
    scope: Mapped[str]
    acr: Mapped[str | None] = mapped_column(String(255))
    amr: Mapped[str | None] = mapped_column(String(120))
    auth_time: Mapped[datetime | None]
    request: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the token endpoint needs of the request: nonce, claims, resource, redirect_uri.

    Of a grant that a token was exchanged for: who acts, and the grant it was exchanged from.
    """
    code_hash: Mapped[str | None] = mapped_column(String(43), unique=True)
    code_challenge: Mapped[str | None] = mapped_column(String(43))
    code_expires_at: Mapped[datetime | None]
    code_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """When nothing that it bought can still be valid, so that the row may go."""
    ended_at: Mapped[datetime | None]
    cnf: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What a public client has to show again when it refreshes: the key that redeemed the code."""


class RefreshToken(Model):
    """One link in the line of refresh tokens of a grant; at most one of a line is alive."""

    __tablename__ = "refresh_tokens"

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(43), unique=True)
    grant_id: Mapped[str] = mapped_column(String(22), index=True)
    scope: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """When it dies unless it is used: by then it has idled, or the line is over."""
    line_ends_at: Mapped[datetime | None]
    """When the line is over, however often it is renewed; None: at ``expires_at``."""
    used_at: Mapped[datetime | None]


class AccessToken(Model):
    """An opaque access token, or the tombstone of a JWT that was revoked on its own."""

    __tablename__ = "access_tokens"

    token_hash: Mapped[str] = mapped_column(String(43), primary_key=True)
    grant_id: Mapped[str] = mapped_column(String(22), index=True)
    scope: Mapped[str]
    audience: Mapped[list[str]] = mapped_column(default=list)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    cnf: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Whom an opaque one is bound to (RFC 7800)."""


class Consent(Model):
    """The scopes a person has allowed a client, remembered until they are taken back."""

    __tablename__ = "consents"
    __table_args__ = (UniqueConstraint("user_id", "client_id"),)

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    scope: Mapped[str]
    granted_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
