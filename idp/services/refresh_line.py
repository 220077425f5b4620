"""A line of refresh tokens: each the successor of the last, at most one of them alive.

A successor is derived from the token it replaces, with the deployment's key. So a client that
lost an answer can be given the same one again, and nothing that is stored would tell anybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    select,
)
from sqlalchemy.sql.dml import ReturningUpdate

from idp.config import Settings
from idp.frozen import made_often
from idp.models import Grant, RefreshToken, new_id_at
from idp.models.plain import Plain
from idp.secrecy import Box, filed, stamp
from idp.services.clients import REVISION_NOW, RegisteredClient
from idp.services.granted import CLIENT_IS_THERE, FIELDS, USER_IS_WELL, AnyRow
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


def _apart(**values: Any) -> ReturningUpdate[Any]:
    """As with codes: one conditional statement, so of any number of uses one succeeds.

    SQLite tells only of the table that is written; PostgreSQL of the grant as well (``_joined``).
    """
    # Not IN: SQLite would collect every grant of the client first.
    its_grant = exists().where(_grants.c.id == _tokens.c.grant_id, _IS_THE_CLIENTS, CLIENT_IS_THERE)
    return _ALIVE.values(**values).where(its_grant).returning(*_FOUND)


def _joined(*conditions: ColumnElement[bool], **values: Any) -> ReturningUpdate[Any]:
    used = _ALIVE.values(**values).where(_grants.c.id == _tokens.c.grant_id, _IS_THE_CLIENTS)
    return used.where(*conditions).returning(*_FOUND, *FIELDS)


def _succeeding(claim: ReturningUpdate[Any]) -> Select[Any]:
    """The claim, and the successor of what it finds: of one that is not claimed there is none."""
    claimed = claim.cte("claimed")
    ends = claimed.c.line_ends_at
    successor = {
        "id": bindparam("successor", type_=_tokens.c.id.type),
        "token_hash": bindparam("successor_hash", type_=_tokens.c.token_hash.type),
        "grant_id": claimed.c.grant_id,
        "scope": claimed.c.token_scope,
        "created_at": _NOW,
        "expires_at": func.least(ends, _IDLE),
        "line_ends_at": ends,
    }
    kept = _tokens.insert().from_select(list(successor), select(*successor.values()))
    return select(claimed).add_cte(kept.cte("kept"))


_NOW: Final = bindparam("now", type_=_tokens.c.created_at.type)
_IDLE: Final = bindparam("idle", type_=_tokens.c.expires_at.type)

_CLAIM: Final = Plain(
    {
        "sqlite": _apart(used_at=bindparam("now")),
        "postgresql": _succeeding(_joined(CLIENT_IS_THERE, used_at=bindparam("now"))),
    }
)

CLAIM_AT_ONCE: Final = Plain(
    {
        "postgresql": _succeeding(
            _joined(
                _grants.c.cnf.is_(None),
                REVISION_NOW.element == bindparam("revision"),
                used_at=bindparam("now"),
            )
        )
    }
)
"""The same where nothing is left to be refused by what it finds: the whole transaction is this."""

_LONGER: Final = {
    "expires_at": case((_IDLE > _LINE_ENDS, _LINE_ENDS), else_=_IDLE),
    "line_ends_at": _LINE_ENDS,
}
_RENEW: Final = Plain(
    {"sqlite": _apart(**_LONGER), "postgresql": _joined(CLIENT_IS_THERE, **_LONGER)}
)

_GRANT: Final = Plain(select(*FIELDS).where(_grants.c.id == bindparam("grant")))

_successors: Final = _tokens.alias("successors")

_REPEATED: Final = Plain(
    select(
        _tokens.c.grant_id,
        _tokens.c.scope.label("token_scope"),
        _successors.c.id.label("successor_id"),
        _successors.c.token_hash.label("successor_hash"),
        _successors.c.created_at.label("successor_made"),
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
        CLIENT_IS_THERE,
    )
)


@made_often
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
        if not rotates(client):
            row = _RENEW.one(self._used(token, client, now))
            client.confirm(row)
            return _renewed(row, token) if row else None
        successor, values = self._successor(token, client, now)
        row = _CLAIM.one(values)
        client.confirm(row)
        if row is not None and not _tells_of_grant(row):  # nor has it written the successor
            self._keep(successor, values["successor"], row, now)
        return _renewed(row, successor) if row else None

    def renew_at_once(self, token: str, client: RegisteredClient, now: datetime) -> Renewed | None:
        """The same as a transaction by itself, where the database can do so: it is committed.

        None also where it cannot, where another transaction is open already, or where something
        may be left to be refused: ``renew`` sees to these.
        """
        if not rotates(client) or not CLAIM_AT_ONCE.can_be_alone():
            return None
        successor, values = self._successor(token, client, now)
        rows = CLAIM_AT_ONCE.end_with({**values, "revision": client.revision})
        return _renewed(rows[0], successor) if rows else None

    def repeat(self, token: str, client: RegisteredClient, now: datetime) -> Renewed | None:
        """The successor of a token that was used a moment ago, if nobody has used that yet."""
        grace = self._settings.refresh_grace
        values = {
            "hash": filed(token),
            "client": client.id,
            "now": now,
            "earliest": now - grace,
            "latest": now + grace,
        }
        for row in _REPEATED.all(values) if grace else ():
            for candidate in self._derived(token, row.successor_id, row.successor_made):
                if filed(candidate) == row.successor_hash:
                    return _renewed(row, candidate, repeated=True)
        return None

    def _used(self, token: str, client: RegisteredClient, now: datetime) -> dict[str, Any]:
        """What all of these statements are told."""
        idle = now + self._settings.refresh_token_idle
        return {"hash": filed(token), "client": client.id, "now": now, "idle": idle}

    def _successor(
        self, token: str, client: RegisteredClient, now: datetime
    ) -> tuple[str, dict[str, Any]]:
        """The token to use next, and what the statement that claims is told."""
        row_id = new_id_at(now)
        successor = next(self._derived(token, row_id, now))
        named = {"successor": row_id, "successor_hash": filed(successor)}
        return successor, {**self._used(token, client, now), **named}

    def _keep(self, successor: str, row_id: str, row: AnyRow, now: datetime) -> None:
        # The line ends when its first token would have: rotation does not prolong it.
        keep_refresh(
            row.grant_id,
            tuple(row.token_scope.split()),
            now=now,
            expires_at=row.line_ends_at,
            idle=self._settings.refresh_token_idle,
            row_id=row_id,
            token=successor,
        )

    def _derived(self, token: str, row_id: str, made: datetime) -> Iterator[str]:
        """The successor in the row ``row_id``, by each of the deployment's keys.

        In the form of ``new_secret_at``: a digest with a key is as good as random.
        """
        for secret in self._box.keyed_digests("refresh token", f"{token}\0{row_id}"):
            yield stamp(made) + secret


def _tells_of_grant(row: AnyRow) -> bool:
    return hasattr(row, "client_id")


def _renewed(row: AnyRow, token: str, *, repeated: bool = False) -> Renewed:
    grant = row if _tells_of_grant(row) else _GRANT.one({"grant": row.grant_id})
    return Renewed(
        grant=grant, scope=tuple(row.token_scope.split()), token=token, repeated=repeated
    )
