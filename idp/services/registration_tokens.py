"""Initial access tokens: who presents one may register an application (RFC 7591 section 3)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update

from idp import audit
from idp.audit import Context
from idp.models import RegistrationToken, db
from idp.secrecy import digest, new_secret
from idp.services.client_listing import ClientRefused

PREFIX: Final = 6
"""Characters that are kept, so that people can tell one from another."""

_CLAIM = update(RegistrationToken).where(RegistrationToken.uses_left > 0)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """An initial access token as it is listed; nothing in it is secret."""

    id: str
    prefix: str
    uses_left: int
    created_at: datetime
    expires_at: datetime


def make(context: Context, *, uses: int, lifetime: timedelta) -> tuple[TokenInfo, str]:
    """A token that is good for so many registrations, told this once. Commits."""
    token = new_secret()
    made = TokenInfo(secrets.token_hex(11), token[:PREFIX], uses, context.at, context.at + lifetime)
    db.session.execute(
        insert(RegistrationToken).values(
            id=made.id,
            token_hash=digest(token),
            prefix=made.prefix,
            uses_left=uses,
            created_at=made.created_at,
            expires_at=made.expires_at,
        )
    )
    audit.record("client.registration_token.made", context, made=made.id, uses=uses)
    db.session.commit()
    return made, token


def is_good(token: str, now: datetime) -> bool:
    """Could ``token`` be used now? Only ``claim`` makes sure of it."""
    found = select(RegistrationToken.id).where(
        RegistrationToken.token_hash == digest(token),
        RegistrationToken.uses_left > 0,
        RegistrationToken.expires_at > now,
    )
    return db.session.scalar(found) is not None


def claim(token: str, now: datetime) -> str | None:
    """Use ``token`` once, in the caller's transaction; its id, or None when it is worth nothing.

    One conditional statement: of any number of callers only as many succeed as it has uses.
    """
    return db.session.scalar(
        _CLAIM.where(
            RegistrationToken.token_hash == digest(token), RegistrationToken.expires_at > now
        )
        .values(uses_left=RegistrationToken.uses_left - 1)
        .returning(RegistrationToken.id)
        .execution_options(synchronize_session=False)
    )


def listed(now: datetime) -> tuple[TokenInfo, ...]:
    """Those that are still good, the newest first."""
    rows = db.session.scalars(
        select(RegistrationToken)
        .where(RegistrationToken.uses_left > 0, RegistrationToken.expires_at > now)
        .order_by(RegistrationToken.created_at.desc(), RegistrationToken.id)
    )
    return tuple(
        TokenInfo(row.id, row.prefix, row.uses_left, row.created_at, row.expires_at) for row in rows
    )


def revoke(token_id: str, context: Context) -> None:
    """Make a token worthless; what was registered with it stays. Commits.

    Raises ``ClientRefused`` when there is none such.
    """
    removed = db.session.scalar(
        delete(RegistrationToken)
        .where(RegistrationToken.id == token_id)
        .returning(RegistrationToken.id)
    )
    if removed is None:
        raise ClientRefused(f"There is no registration token {token_id}.")
    audit.record("client.registration_token.revoked", context, made=token_id)
    db.session.commit()
