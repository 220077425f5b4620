"""Access and refresh tokens that are presented: are they alive, and what do they stand for?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Select, Table, bindparam, exists, select

from idp.models import AccessToken, Client, Grant, RefreshToken, User
from idp.models.plain import Plain
from idp.secrecy import digest
from idp.services.binding import UNBOUND, Binding
from idp.services.granted import FIELDS, AnyRow, Asked, Granted, asked_of, granted_of

_grants: Final = cast("Table", Grant.__table__)
_users: Final = cast("Table", User.__table__)
_clients: Final = cast("Table", Client.__table__)
_access: Final = cast("Table", AccessToken.__table__)
_refresh: Final = cast("Table", RefreshToken.__table__)


def _alive(statement: Select[Any]) -> Select[Any]:
    """Only where the grant has not ended, and neither person nor client is disabled.

    A grant of a client for itself has no person, and then no row of one is disabled, either.
    """
    return (
        statement.outerjoin(_users, _users.c.id == _grants.c.user_id)
        .join(_clients, _clients.c.id == _grants.c.client_id)
        .where(
            _grants.c.ended_at.is_(None),
            _users.c.disabled_at.is_(None),  # nor is what an outer join did not find
            _clients.c.disabled_at.is_(None),
        )
    )


_FOUND: Final = (*FIELDS, _clients.c.revision.label("client_revision"))

_OF_ID = _alive(select(*_FOUND)).where(_grants.c.id == bindparam("grant"))
_GRANT = Plain(_OF_ID)
_BY_GRANT = Plain(
    _OF_ID.where(
        ~exists(select(_access.c.token_hash).where(_access.c.token_hash == bindparam("tombstone"))),
    )
)

_OPAQUE = Plain(
    _alive(
        select(
            *_FOUND,
            _access.c.scope.label("token_scope"),
            _access.c.audience,
            _access.c.issued_at,
            _access.c.expires_at,
            _access.c.cnf.label("token_cnf"),
        ).join(_access, _access.c.grant_id == _grants.c.id)
    ).where(
        _access.c.token_hash == bindparam("hash"),
        _access.c.revoked_at.is_(None),
        _access.c.expires_at > bindparam("now"),
    )
)

_REFRESH = Plain(
    _alive(
        select(
            *_FOUND,
            _refresh.c.scope.label("token_scope"),
            _refresh.c.created_at.label("issued_at"),
            _refresh.c.expires_at,
            _grants.c.cnf.label("token_cnf"),
        ).join(_refresh, _refresh.c.grant_id == _grants.c.id)
    ).where(
        _refresh.c.token_hash == bindparam("hash"),
        _refresh.c.used_at.is_(None),
        _refresh.c.expires_at > bindparam("now"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveToken:
    """A token that holds now, whatever its form. ``jti`` is None for one that is not a JWT.

    ``client_revision`` is that of the client's registration at this moment.
    """

    grant_id: str
    granted: Granted
    asked: Asked
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    client_revision: int
    jti: str | None = None
    binding: Binding = UNBOUND

    def concerns(self, client_id: str) -> bool:
        """Was it issued to the client, or for it as a resource server?"""
        return client_id == self.granted.client_id or client_id in self.audience


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtClaims:
    """What of a verified JWT access token is needed to look at its grant."""

    jti: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    binding: Binding = UNBOUND

    @property
    def grant_id(self) -> str:
        """The grant, which a ``jti`` begins with."""
        return self.jti.partition(".")[0]


def live_jwt(claims: JwtClaims) -> LiveToken | None:
    """The token of a JWT whose signature and times hold; None when its grant has ended, its person
    or client is disabled, or it was revoked on its own."""
    row = _BY_GRANT.one({"grant": claims.grant_id, "tombstone": digest(claims.jti)})
    if row is None or not _ancestors_live(row):
        return None
    return LiveToken(
        grant_id=row.id,
        granted=granted_of(row),
        asked=asked_of(row),
        scope=claims.scope,
        audience=claims.audience,
        issued_at=claims.issued_at,
        expires_at=claims.expires_at,
        client_revision=row.client_revision,
        jti=claims.jti,
        binding=claims.binding,
    )


def live_opaque(token: str, now: datetime) -> LiveToken | None:
    """The access token of a client that takes them opaque; None when it does not hold now."""
    row = _OPAQUE.one({"hash": digest(token), "now": now})
    return _live(row, tuple(row.audience)) if row and _ancestors_live(row) else None


def live_refresh(token: str, now: datetime) -> LiveToken | None:
    """A refresh token, left unused; None when it does not hold now. It is for nobody's ears."""
    row = _REFRESH.one({"hash": digest(token), "now": now})
    return _live(row, ()) if row else None


def _ancestors_live(row: AnyRow | None) -> bool:
    """Do the grants hold, too, whose tokens were exchanged for this one (RFC 8693)?

    Looked at when it is used, so that nothing that ends one of them can miss a token that was
    being exchanged at that instant.
    """
    while row is not None and (parent := row.request.get("parent")) is not None:
        row = _GRANT.one({"grant": parent})
    return row is not None


def _live(row: AnyRow, audience: tuple[str, ...]) -> LiveToken:
    return LiveToken(
        grant_id=row.id,
        granted=granted_of(row),
        asked=asked_of(row),
        scope=tuple(row.token_scope.split()),
        audience=audience,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        client_revision=row.client_revision,
        binding=Binding.of(row.token_cnf),
    )
