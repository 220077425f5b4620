"""Refresh tokens: each redeemed once, for the next of its line and a new access token."""

from collections.abc import Collection
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, select

from idp import audit
from idp.audit import Context
from idp.config import Settings
from idp.models import Grant, RefreshToken, db
from idp.models.plain import Plain
from idp.protocol.errors import OAuthError
from idp.protocol.resources import narrowed
from idp.secrecy import filed
from idp.services import repeated
from idp.services.admission import is_for
from idp.services.binding import UNBOUND, Binding
from idp.services.clients import RegisteredClient
from idp.services.granted import AnyRow, asked_of, granted_of
from idp.services.grants import Redeemed, replayed
from idp.services.refresh_line import RefreshLines, Renewed
from idp.services.tokens import issue_tokens, keeps_nothing_else
from idp.services.turned_away import IN_NO_GROUP

_tokens: Final = cast("Table", RefreshToken.__table__)
_grants: Final = cast("Table", Grant.__table__)

_BY_TOKEN = Plain(
    select(
        _grants.c.id,
        _grants.c.client_id,
        _grants.c.user_id,
        _grants.c.session_id,
        _tokens.c.used_at,
    )
    .join(_tokens, _tokens.c.grant_id == _grants.c.id)
    .where(_tokens.c.token_hash == bindparam("hash"))
)


class Refreshing:
    """Redeems refresh tokens. At most one of a line is alive (RFC 9700 section 4.14.2)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lines = RefreshLines(settings)

    def redeem(
        self,
        token: str,
        *,
        client: RegisteredClient,
        scope: Collection[str] | None,
        context: Context,
        binding: Binding = UNBOUND,
        resource: Collection[str] = (),
    ) -> Redeemed:
        """Exchange a refresh token. Commits.

        ``scope`` and ``resource`` narrow the access token; the line keeps what was granted (RFC
        6749 section 6, RFC 8707 section 2.2).
        What was proved, and when, stays as it was: a refresh is no authentication.

        A token that was used within ``refresh_grace`` brings its successor again while that is
        unused: an answer may get lost, and two tabs may ask at once.

        Raises ``OAuthError``: ``invalid_grant`` when it is unknown, used, expired, another
        client's, bound to another key than ``binding`` shows, or its person is disabled or in none
        of the groups that the client is for by now, which leaves it as it was;
        ``invalid_scope`` or ``invalid_target`` when more is asked for than was granted. A second
        use that is not such a repetition ends the grant. ``Unconfirmed`` is the caller's to roll
        back.
        """
        plain = keeps_nothing_else(client) and not client.metadata.allowed_groups
        if scope is None and not resource and plain:
            renewed = self._lines.renew_at_once(token, client, context.at)
            if renewed is not None:
                return self._succeed(renewed, scope, resource, client, context, binding)
        renewed = self._lines.renew(token, client, context.at)
        renewed = renewed or self._lines.repeat(token, client, context.at)
        if renewed is None:
            raise self._not_claimed(token, client, context)
        if scope is not None and not set(scope) <= set(renewed.scope):
            db.session.rollback()
            raise OAuthError("invalid_scope", "More is asked for than was granted.")
        try:
            redeemed = self._succeed(renewed, scope, resource, client, context, binding)
        except OAuthError:
            db.session.rollback()
            raise
        db.session.commit()
        return redeemed

    def _succeed(
        self,
        renewed: Renewed,
        scope: Collection[str] | None,
        resource: Collection[str],
        client: RegisteredClient,
        context: Context,
        binding: Binding,
    ) -> Redeemed:
        row = renewed.grant
        if not binding.covers(Binding.of(row.cnf)):
            raise _left_alone(row, client, context, reason="of another key")
        if not is_for(client, row.user_id):
            raise _left_alone(row, client, context, reason=IN_NO_GROUP)
        whole, asked = renewed.scope, asked_of(row)
        less = whole if scope is None else tuple(one for one in whole if one in scope)
        if renewed.repeated:
            _record("token.repeated", row, client, context)
        tokens = issue_tokens(
            self._settings,
            client=client,
            grant_id=row.id,
            scope=less,
            resource=narrowed(asked.resource, resource),
            now=context.at,
            binding=binding,
            refresh=renewed.token,
        )
        return Redeemed(
            grant_id=row.id,
            granted=granted_of(row),
            asked=asked,
            scope=less,
            tokens=tokens,
        )

    def _not_claimed(self, token: str, client: RegisteredClient, context: Context) -> OAuthError:
        row = _BY_TOKEN.one({"hash": filed(token)})
        if row is not None and row.client_id == client.id and row.used_at is not None:
            replayed(row, context, what="refresh token")
        else:
            _record("token.refused", row, client, context, reason=_reason(row, client))
        db.session.commit()
        return _invalid_grant()


def _left_alone(
    row: AnyRow, client: RegisteredClient, context: Context, *, reason: str
) -> OAuthError:
    """The token stays as it was: for whoever has the key (RFC 9449 section 5, RFC 8705 section 4),
    for when its person is back in a group that the client is for."""
    db.session.rollback()
    _record("token.refused", row, client, context, reason=reason)
    db.session.commit()
    return _invalid_grant()


def _invalid_grant() -> OAuthError:
    return OAuthError(
        "invalid_grant",
        "The refresh token is unknown, used, expired, another client's, or bound to another key.",
    )


def _record(
    event: str, row: AnyRow | None, client: RegisteredClient, context: Context, **details: str
) -> None:
    values: dict[str, Any] = {
        "user_id": row.user_id if row else None,
        "client_id": client.id,
        "session_id": row.session_id if row else None,
        **details,
    }
    if details:  # refused, as anybody can be who says a public client's name
        repeated.record(event, context, alike=(client.id, *details.values()), **values)
    else:
        audit.record(event, context, **values)


def _reason(row: AnyRow | None, client: RegisteredClient) -> str:
    if row is None:
        return "unknown"
    return "of another client" if row.client_id != client.id else "expired or ended"
