"""A line of refresh tokens: each the successor of the last, at most one of them alive.

A successor is derived from the token it replaces, with the deployment's key. So a client that
lost an answer can be given the same one again, and nothing that is stored would tell anybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Table, and_, bindparam, case, exists, func, select

from idp.config import Settings
from idp.models import Grant, RefreshToken, new_id
from idp.models.plain import Plain
from idp.secrecy import Box, digest
from idp.services.clients import REVISION_NOW, RegisteredClient
from idp.services.granted import FIELDS, USER_IS_WELL, AnyRow
from idp.services.tokens import keep_refresh

_tokens: Final = cast("Table", RefreshToken.__table__)
_grants: Final = cast("Table", Grant.__table__)

_IS_THE_CLIENTS = and_(
    _grants.c.client_id == bindparam("client"), _grants.c.ended_at.is_(None), USER_IS_WELL
)

_LINE_ENDS: Final = func.coalesce(_tokens.c.line_ends_at, _tokens.c.expires_at)
_FOUND: Final = (
    *(_tokens.c.grant_id, _tokens.c.scope.label("token_scope")),
    *(_LINE_ENDS.label("line_ends_at"), REVISION_NOW),
)

_ALIVE = _tokens.update().where(
    _tokens.c.token_hash == bindparam("hash"),
    _tokens.c.used_at.is_(None),
    _tokens.c.expires_at > bindparam("now"),
)


def _using(**values: Any) -> Plain:
    """As with codes: one conditional statement, so of any number of uses one succeeds.

    PostgreSQL tells of the grant as well; SQLite only of the table that is written.
    """
    used = _ALIVE.values(**values)
    # Not IN: SQLite would collect every grant of the client first.
    apart = used.where(exists().where(_grants.c.id == _tokens.c.grant_id, _IS_THE_CLIENTS))
    joined = used.where(_grants.c.id == _tokens.c.grant_id, _IS_THE_CLIENTS)
    return Plain(
        {"sqlite": apart.returning(*_FOUND), "postgresql": joined.returning(*_FOUND, *FIELDS)}
    )


_CLAIM = _using(used_at=bindparam("now"))

_RENEW = _using(
    expires_at=case((bindparam("idle") > _LINE_ENDS, _LINE_ENDS), else_=bindparam("idle")),
    line_ends_at=_LINE_ENDS,
)

_GRANT: Final = Plain(select(*FIELDS).where(_grants.c.id == bindparam("grant")))

_successors: Final = _tokens.alias("successors")

_REPEATED: Final = Plain(
    select(
        _tokens.c.grant_id,
        _tokens.c.scope.label("token_scope"),
        _successors.c.id.label("successor_id"),
        _successors.c.token_hash.label("successor_hash"),
    )
    .join(_grants, _grants.c.id == _tokens.c.grant_id)
    .join(_successors, _successors.c.grant_id == _tokens.c.grant_id)
    .where(
        _tokens.c.token_hash == bindparam("hash"),
        # Both ways: a clock that is set back must not make the grace any longer.
        _tokens.c.used_at.between(bindparam("earliest"), bindparam("latest")),
        _successors.c.used_at.is_(None),
        _successors.c.expires_at > bindparam("now"),
        _IS_THE_CLIENTS,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What a refresh token was exchanged for: its grant and scope, and the token to use next.

    ``grant`` is a row that has ``FIELDS``.
    """

    grant: AnyRow
    scope: tuple[str, ...]
    token: str
    repeated: bool = False


def rotates(client: RegisteredClient) -> bool:
    """Is a used refresh token replaced?

    Always for a client that cannot authenticate (RFC 9700 section 4.14.2). For others theft of the
    token alone is no use; FAPI 2.0 section 5.3.2.1 has them go without, as registered.
    """
    return client.metadata.is_public or client.metadata.refresh_token_rotation


class RefreshLines:
    """Moves lines on, in the caller's transaction."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._box = Box(settings.keys)

    def renew(self, token: str, client: RegisteredClient, now: datetime) -> Renewed | None:
        """Use a living token: None when it is not one, or not this client's.

        Raises ``Unconfirmed``, which is the caller's to roll back.
        """
        values = {"hash": digest(token), "client": client.id, "now": now}
        if rotates(client):
            row = _CLAIM.one(values)
            client.confirm(row)
            return _renewed(row, self._succeed(token, row, now)) if row else None
        values["idle"] = now + self._settings.refresh_token_idle
        row = _RENEW.one(values)
        client.confirm(row)
        return _renewed(row, token) if row else None

    def repeat(self, token: str, client: RegisteredClient, now: datetime) -> Renewed | None:
        """The successor of a token that was used a moment ago, if nobody has used that yet."""
        grace = self._settings.refresh_grace
        values = {
            "hash": digest(token),
            "client": client.id,
            "now": now,
            "earliest": now - grace,
            "latest": now + grace,
        }
        for row in _REPEATED.all(values) if grace else ():
            for candidate in self._derived(token, row.successor_id):
                if digest(candidate) == row.successor_hash:
                    return _renewed(row, candidate, repeated=True)
        return None

    def _succeed(self, token: str, row: AnyRow, now: datetime) -> str:
        # The line ends when its first token would have: rotation does not prolong it.
        row_id = new_id()
        return keep_refresh(
            row.grant_id,
            tuple(row.token_scope.split()),
            now=now,
            expires_at=row.line_ends_at,
            idle=self._settings.refresh_token_idle,
            row_id=row_id,
            token=next(self._derived(token, row_id)),
        )

    def _derived(self, token: str, row_id: str) -> Iterator[str]:
        """The successor in the row ``row_id``, by each of the deployment's keys."""
        return self._box.keyed_digests("refresh token", f"{token}\0{row_id}")


def _renewed(row: AnyRow, token: str, *, repeated: bool = False) -> Renewed:
    tells = hasattr(row, "client_id")
    grant = row if tells else _GRANT.one({"grant": row.grant_id})
    return Renewed(
        grant=grant, scope=tuple(row.token_scope.split()), token=token, repeated=repeated
    )
