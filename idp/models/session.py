"""Browser sessions and the append-only ledger of what was proved in them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, column
from sqlalchemy.orm import Mapped, mapped_column

from idp.models.base import Model, index_of_some
from idp.models.ids import new_id


class BrowserSession(Model):
    """One person in one browser. ``id`` is the ``sid`` claim and never a secret.

    The cookie holds a random token whose hash is ``token_hash``. Until a decision is satisfied
    for the first time there is no token, so an unfinished sign-in cannot be presented at all.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        index_of_some("ix_sessions_ended_at", "ended_at", which=column("ended_at").is_not(None)),
    )

    id: Mapped[str] = mapped_column(String(22), primary_key=True, default=new_id)
    token_hash: Mapped[str | None] = mapped_column(String(43), unique=True)
    user_id: Mapped[str] = mapped_column(String(22), index=True)
    """Refers to nothing that the database checks: see ``services.belongings``."""
    persistent: Mapped[bool] = mapped_column(default=False)
    """"Keep me signed in on this device": decides only how long the cookie may live."""
    user_agent: Mapped[str] = mapped_column(String(400), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """The absolute limit; the idle limit is counted from ``last_seen_at``."""
    ended_at: Mapped[datetime | None]


class SessionClient(Model):
    """A client that was told, in this session, who is signed in: it hears of the session's end.

    Grants say so too, but they may be gone long before a session that is kept for a month.
    """

    __tablename__ = "session_clients"
    __table_args__ = (Index("ix_session_clients_client_id_since", "client_id", "since"),)

    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True
    )
    client_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    """Refers to nothing that the database checks: see ``services.belongings``."""
    since: Mapped[datetime]


class EvidenceRow(Model):
    """One proof. Rows are inserted and, with their session, one day deleted; never changed."""

    __tablename__ = "evidence"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    transaction_id: Mapped[str] = mapped_column(String(22))
    method: Mapped[str] = mapped_column(String(32))
    credential_id: Mapped[str | None] = mapped_column(String(22))
    proves: Mapped[str] = mapped_column(String(120))
    """Traits by name, sorted, separated by spaces; ``amr`` likewise, in order."""
    amr: Mapped[str] = mapped_column(String(120))
    enrolled: Mapped[bool] = mapped_column(default=False)
    """The credential was made in the very sign-in that this proof belongs to."""
    at: Mapped[datetime]
