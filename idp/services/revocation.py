"""Tokens given back before their time (RFC 7009)."""

from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, select
from sqlalchemy.exc import IntegrityError

from idp import audit
from idp.audit import Context
from idp.models import AccessToken, Grant, RefreshToken, db
from idp.protocol.errors import OAuthError
from idp.secrecy import digest, filed
from idp.services.access import JwtClaims
from idp.services.clients import RegisteredClient
from idp.services.granted import AnyRow
from idp.services.grants import end_grant

_grants: Final = cast("Table", Grant.__table__)
_access: Final = cast("Table", AccessToken.__table__)
_refresh: Final = cast("Table", RefreshToken.__table__)


def _owner(token: Table, condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(_grants.c.id, _grants.c.client_id, _grants.c.user_id, _grants.c.session_id)
        .join(token, token.c.grant_id == _grants.c.id)
        .where(condition)
    )


_BY_GRANT = select(
    _grants.c.id, _grants.c.client_id, _grants.c.user_id, _grants.c.session_id
).where(_grants.c.id == bindparam("grant"))
_BY_OPAQUE = _owner(_access, _access.c.token_hash == bindparam("hash"))
_BY_REFRESH = _owner(_refresh, _refresh.c.token_hash == bindparam("hash"))

_REVOKE = (
    _access.update()
    .where(_access.c.token_hash == bindparam("hash"), _access.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_TOMBSTONE = _access.insert()


def revoke(
    token: str, jwt: JwtClaims | None, *, client: RegisteredClient, context: Context
) -> None:
    """Make a token of this client's worthless. Commits.

    ``jwt`` is what the token says where it is one of our JWTs. An access token goes alone, a
    refresh token takes its whole grant along (RFC 7009 section 2.1). A token that nobody knows
    is no error (section 2.2). Raises ``OAuthError`` when it is another client's.
    """
    if jwt is not None:
        _revoke_jwt(jwt, client, context)
    elif not _revoke_opaque(token, client, context):
        _revoke_refresh(token, client, context)
    db.session.commit()


def _revoke_jwt(jwt: JwtClaims, client: RegisteredClient, context: Context) -> None:
    row = db.session.execute(_BY_GRANT, {"grant": jwt.grant_id}).one_or_none()
    if row is None:
        return
    _check_owner(row, client)
    tombstone = {
        "token_hash": digest(jwt.jti),
        "grant_id": row.id,
        "scope": " ".join(jwt.scope),
        "audience": list(jwt.audience),
        "issued_at": jwt.issued_at,
        "expires_at": jwt.expires_at,
        "revoked_at": context.at,
    }
    try:
        with db.session.begin_nested():
            db.session.execute(_TOMBSTONE, tombstone)
    except IntegrityError:
        return  # it lies there already
    _record(row, context, "access token")


def _revoke_opaque(token: str, client: RegisteredClient, context: Context) -> bool:
    """Was it an access token?"""
    row = db.session.execute(_BY_OPAQUE, {"hash": filed(token)}).one_or_none()
    if row is None:
        return False
    _check_owner(row, client)
    db.session.execute(_REVOKE, {"hash": filed(token), "now": context.at})
    _record(row, context, "access token")
    return True


def _revoke_refresh(token: str, client: RegisteredClient, context: Context) -> None:
    row = db.session.execute(_BY_REFRESH, {"hash": filed(token)}).one_or_none()
    if row is None:
        return
    _check_owner(row, client)
    end_grant(row.id, context.at)
    _record(row, context, "refresh token")


def _check_owner(row: AnyRow, client: RegisteredClient) -> None:
    # RFC 7009 section 2.1: refused, and the client is told; never reported as done.
    if row.client_id != client.id:
        raise OAuthError("invalid_grant", "The token was not issued to this client.")


def _record(row: AnyRow, context: Context, what: str) -> None:
    audit.record(
        "token.revoked",
        context,
        user_id=row.user_id,
        client_id=row.client_id,
        session_id=row.session_id,
        what=what,
    )
