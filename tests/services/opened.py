"""What a person may have open, and whether it still is."""

from idp.models import BrowserSession, Client, Grant, User, db
from tests.helpers.clock import NOON


def open_everything(user: User) -> None:
    """A browser session, and a grant to a shop."""
    db.session.add_all(
        [
            BrowserSession(
                id="session",
                token_hash="t",
                user_id=user.id,
                created_at=NOON,
                last_seen_at=NOON,
                expires_at=NOON,
            ),
            Client(id="shop", name="Shop", registration={}, created_at=NOON, updated_at=NOON),
        ]
    )
    db.session.flush()
    db.session.add(
        Grant(
            id="grant",
            client_id="shop",
            user_id=user.id,
            session_id="session",
            scope="openid",
            acr="urn:idp:acr:1fa",
            amr="pwd",
            auth_time=NOON,
            created_at=NOON,
            expires_at=NOON,
        )
    )
    db.session.commit()


def endings() -> list[bool]:
    """Whether the session, and whether the grant, has ended."""
    db.session.expire_all()
    rows = (db.session.get_one(BrowserSession, "session"), db.session.get_one(Grant, "grant"))
    return [row.ended_at is not None for row in rows]
