"""What a grant buys: an access token, and a refresh token where the person allowed it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import Table

from idp.config import Settings
from idp.frozen import made_often
from idp.models import AccessToken, RefreshToken, new_id, new_id_at
from idp.models.plain import Plain
from idp.secrecy import filed, new_secret_at
from idp.services.binding import UNBOUND, Binding
from idp.services.clients import RegisteredClient

_KEEP_ACCESS: Final = Plain(cast("Table", AccessToken.__table__).insert())
_KEEP_REFRESH: Final = Plain(cast("Table", RefreshToken.__table__).insert())


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens bought, told this once.

    ``opaque`` is the access token of a client that takes them so; else None, and a JWT named
    ``jti`` is due, which needs no row: it lives and dies with its grant.
    """

    jti: str
    opaque: str | None
    refresh: str | None
    audience: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    binding: Binding


def issue_tokens(
    settings: Settings,
    *,
    client: RegisteredClient,
    grant_id: str,
    scope: tuple[str, ...],
    resource: tuple[str, ...],
    now: datetime,
    binding: Binding,
    refresh: str | None = None,
    until: datetime | None = None,
) -> Tokens:
    """Write the rows that the tokens need, in the caller's transaction.

    ``refresh`` is the refresh token to hand out, already kept. ``binding`` is whom the access
    token is bound to; it has no default, so that no grant forgets it. The access token ends at
    ``until`` where that is sooner than it would by itself.
    """
    is_opaque = client.metadata.access_token_format == "opaque"  # noqa: S105  no password
    opaque = new_secret_at(now) if is_opaque else None
    tokens = Tokens(
        jti=f"{grant_id}.{new_id()}",
        opaque=opaque,
        refresh=refresh,
        audience=audience_of(settings.issuer, scope, resource),
        issued_at=now,
        expires_at=min(filter(None, (now + settings.access_token_lifetime, until))),
        binding=binding,
    )
    if opaque is not None:
        _keep_opaque(opaque, tokens, grant_id, scope)
    return tokens


def audience_of(issuer: str, scope: tuple[str, ...], resource: tuple[str, ...]) -> tuple[str, ...]:
    """Whom an access token is for, each once: the resources asked for (RFC 8707), and our own
    userinfo."""
    if not resource or ("openid" in scope and issuer not in resource):
        return (*resource, issuer)
    return resource


def refresh_binding(client: RegisteredClient, binding: Binding) -> Binding:
    """What the refresh tokens of a grant are bound to, when ``binding`` redeemed its code.

    RFC 9449 section 5, RFC 8705 section 4: those of a public client to its key, for nothing else
    protects them. One that authenticates may change its key between two refreshes.
    """
    return binding if client.metadata.is_public else UNBOUND


def may_refresh(client: RegisteredClient, scope: tuple[str, ...]) -> bool:
    """Is a refresh token due? OIDC Core 11: when the person allowed access while she is away."""
    return "offline_access" in scope and "refresh_token" in client.metadata.grant_types


def keeps_nothing_else(client: RegisteredClient) -> bool:
    """Are its refresh tokens all that is kept of what it is given, and these bound to nobody?"""
    metadata = client.metadata
    return not metadata.is_public and metadata.access_token_format == "jwt"  # noqa: S105


def keep_refresh(
    grant_id: str,
    scope: tuple[str, ...],
    *,
    now: datetime,
    expires_at: datetime,
    idle: timedelta,
    row_id: str | None = None,
    token: str | None = None,
) -> str:
    """Keep the hash of a refresh token, new or given, in the caller's transaction; returns it.

    It dies when it has been idle for ``idle``, and its whole line at ``expires_at``.
    """
    token = token or new_secret_at(now)
    _KEEP_REFRESH.run(
        {
            "id": row_id or new_id_at(now),
            "token_hash": filed(token),
            "grant_id": grant_id,
            "scope": " ".join(scope),
            "created_at": now,
            "expires_at": min(expires_at, now + idle),
            "line_ends_at": expires_at,
        }
    )
    return token


def _keep_opaque(opaque: str, tokens: Tokens, grant_id: str, scope: tuple[str, ...]) -> None:
    _KEEP_ACCESS.run(
        {
            "token_hash": filed(opaque),
            "grant_id": grant_id,
            "scope": " ".join(scope),
            "audience": list(tokens.audience),
            "issued_at": tokens.issued_at,
            "expires_at": tokens.expires_at,
            "cnf": tokens.binding.cnf,
        }
    )
