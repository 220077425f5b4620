"""Access and refresh tokens that are presented: are they alive, and what do they stand for?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, exists, or_, select

from idp.frozen import made_often
from idp.models import AccessToken, Client, Grant, RefreshToken, User
from idp.models.plain import Plain
from idp.secrecy import digest, filed
from idp.services import profiles
from idp.services.binding import UNBOUND, Binding
from idp.services.clients import REVISION_NOW
from idp.services.granted import FIELDS, AnyRow, Asked, Granted, asked_of, granted_of

_grants: Final = cast("Table", Grant.__table__)
_users: Final = cast("Table", User.__table__)
_clients: Final = cast("Table", Client.__table__)
_access: Final = cast("Table", AccessToken.__table__)
_refresh: Final = cast("Table", RefreshToken.__table__)


def _alive(statement: Select[Any]) -> Select[Any]:
    """Only where the grant has not ended, and person and client are there and not disabled.

    A grant of a client for itself has no person.
    """
    return (
        statement.outerjoin(_users, _users.c.id == _grants.c.user_id)
        .join(_clients, _clients.c.id == _grants.c.client_id)
        .where(
            _grants.c.ended_at.is_(None),
            # Whom the outer join did not find is not disabled, either.
            _users.c.disabled_at.is_(None),
            or_(_users.c.id.is_not(None), _grants.c.user_id.is_(None)),
            _clients.c.disabled_at.is_(None),
        )
    )


_FOUND: Final = (*FIELDS, _clients.c.revision.label("client_revision"))

_GRANT = Plain(_alive(select(*_FOUND)).where(_grants.c.id == bindparam("grant")))


def _by_grant(*columns: ColumnElement[Any]) -> Plain:
    return Plain(
        _alive(select(*_FOUND, *columns)).where(
            _grants.c.id == bindparam("grant"),
            ~exists(
                select(_access.c.token_hash).where(_access.c.token_hash == bindparam("tombstone"))
            ),
        )
    )


def _opaque(*columns: ColumnElement[Any]) -> Plain:
    return Plain(
        _alive(
            select(
                *_FOUND,
                *columns,
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


Beside = Literal["person", "client"]
"""What else the statement is to find: the person's claims, or at which revision a client is."""

_BESIDE: Final[Mapping[Beside | None, tuple[ColumnElement[Any], ...]]] = {
    None: (),
    "person": profiles.FIELDS,
    "client": (REVISION_NOW,),
}
_BY_GRANT: Final = {name: _by_grant(*columns) for name, columns in _BESIDE.items()}
_OPAQUE: Final = {name: _opaque(*columns) for name, columns in _BESIDE.items()}

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


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class LiveToken:
    """A token that holds now, whatever its form. ``jti`` is None for one that is not a JWT.

    ``client_revision`` is that of the client's registration at this moment. ``profile`` are the
    person's claims, and ``revision_now`` the revision of another client, where that was ``Wanted``.
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
    profile: Mapping[str, object] = field(default_factory=dict)
    revision_now: int | None = None

    def concerns(self, client_id: str) -> bool:
        """Was it issued to the client, or for it as a resource server?"""
        return client_id == self.granted.client_id or client_id in self.audience


@made_often
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to know ``beside`` a token; ``client`` is whose revision."""

    beside: Beside | None = None
    client: str | None = None

    @property
    def values(self) -> dict[str, str]:
        """For the statement."""
        return {} if self.client is None else {"client": self.client}


NOTHING_ELSE: Final = Wanted()
PERSON: Final = Wanted("person")


def live_jwt(claims: JwtClaims, wanted: Wanted = NOTHING_ELSE) -> LiveToken | None:
    """The token of a JWT whose signature and times hold; None when its grant has ended, its person
    or client is disabled, or it was revoked on its own."""
    values = {"grant": claims.grant_id, "tombstone": digest(claims.jti), **wanted.values}
    row = _BY_GRANT[wanted.beside].one(values)
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
        profile=_profile(row, wanted),
        revision_now=_revision_now(row, wanted),
    )


def live_opaque(token: str, now: datetime, wanted: Wanted = NOTHING_ELSE) -> LiveToken | None:
    """The access token of a client that takes them opaque; None when it does not hold now."""
    row = _OPAQUE[wanted.beside].one({"hash": filed(token), "now": now, **wanted.values})
    if row is None or not _ancestors_live(row):
        return None
    return _live(row, tuple(row.audience), wanted)


def live_refresh(token: str, now: datetime) -> LiveToken | None:
    """A refresh token, left unused; None when it does not hold now. It is for nobody's ears."""
    row = _REFRESH.one({"hash": filed(token), "now": now})
    return _live(row, (), NOTHING_ELSE) if row else None


def _profile(row: AnyRow, wanted: Wanted) -> Mapping[str, object]:
    asked = wanted.beside == "person" and row.user_id is not None
    return profiles.told_by(row) if asked else {}


def _revision_now(row: AnyRow, wanted: Wanted) -> int | None:
    return row.revision_now if wanted.beside == "client" else None


def _ancestors_live(row: AnyRow | None) -> bool:
    """Do the grants hold, too, whose tokens were exchanged for this one (RFC 8693)?

    Looked at when it is used, so that nothing that ends one of them can miss a token that was
    being exchanged at that instant.
    """
    while row is not None and (parent := row.request.get("parent")) is not None:
        row = _GRANT.one({"grant": parent})
    return row is not None


def _live(row: AnyRow, audience: tuple[str, ...], wanted: Wanted) -> LiveToken:
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
        profile=_profile(row, wanted),
        revision_now=_revision_now(row, wanted),
    )
