"""What a person allowed a client: written with its code, redeemed once, ended for good."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import Table, bindparam, select

from idp.audit import Context
from idp.config import Settings
from idp.frozen import made_often
from idp.models import Grant, db, new_id_at
from idp.models.plain import Plain
from idp.protocol import pkce
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.errors import OAuthError
from idp.protocol.policy import DEFAULT_POLICY, Policy
from idp.protocol.resources import narrowed
from idp.secrecy import filed, new_secret_at
from idp.services import repeated, session_clients
from idp.services.admission import is_for
from idp.services.binding import UNBOUND, Binding
from idp.services.clients import RegisteredClient
from idp.services.code_claims import CLAIM, claim_at_once, is_trusted
from idp.services.grant_ends import end_all, end_grant, replayed
from idp.services.granted import (
    AnyRow,
    Asked,
    Granted,
    asked_of,
    granted_of,
    kept_of,
    row_of,
)
from idp.services.tokens import Tokens, issue_tokens, keep_refresh, may_refresh, refresh_binding
from idp.services.turned_away import IN_NO_GROUP

__all__ = ["Asked", "Granted", "Grants", "Redeemed", "end_all", "end_grant", "replayed"]

_grants: Final = cast("Table", Grant.__table__)

_ISSUE = Plain(_grants.insert())
_ISSUE_AND_NOTE = Plain(
    {
        # One statement, which can be a transaction by itself.
        "postgresql": _grants.insert().add_cte(session_clients.NOTING.cte("noted")),
        "sqlite": _grants.insert(),
    }
)

_BY_CODE = Plain(
    select(
        _grants.c.id,
        _grants.c.client_id,
        _grants.c.user_id,
        _grants.c.session_id,
        _grants.c.code_used_at,
    ).where(_grants.c.code_hash == bindparam("hash"))
)


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """A code or a refresh token, turned into what it buys. ``scope`` may be a part of the grant."""

    grant_id: str
    granted: Granted
    asked: Asked
    scope: tuple[str, ...]
    tokens: Tokens


class Grants:
    """Issues codes and redeems them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def issue_code(self, granted: Granted, request: AuthorizationRequest, *, now: datetime) -> str:
        """Write the grant and return its code (256 bits, of which only the hash is kept).

        In the caller's transaction, so that the answer to a sign-in and the code in it come to be
        together.
        """
        code = new_secret_at(now)
        self.open(granted, request, code=code, now=now)
        return code

    def open(
        self,
        granted: Granted,
        request: AuthorizationRequest,
        *,
        code: str | None,
        now: datetime,
        policy: Policy = DEFAULT_POLICY,
        ends: bool = False,
    ) -> str:
        """Write the grant, in the caller's transaction; returns its id.

        ``code`` is None where everything it buys comes from the authorization endpoint itself.
        ``ends`` says that nothing else is to be written: then it commits.
        """
        lifetime = self._settings.code_lifetime
        grant_id, code_ends = new_id_at(now), now + min(lifetime, policy.code_lifetime or lifetime)
        statement, noted = _ISSUE, {}
        if granted.session_id is not None:
            statement = _ISSUE_AND_NOTE
            noted = session_clients.noted(granted.session_id, granted.client_id, now)
        (statement.end_with if ends else statement.later)(
            {
                **noted,
                "id": grant_id,
                **row_of(granted, kept_of(request)),
                "code_hash": filed(code) if code else None,
                "code_challenge": request.code_challenge,
                "code_expires_at": code_ends if code else None,
                "created_at": now,
                "expires_at": code_ends + self.outlives_code(granted.scope),
            }
        )
        return grant_id

    def redeem_code(
        self,
        code: str,
        *,
        client: RegisteredClient,
        redirect_uri: str | None,
        code_verifier: str | None,
        context: Context,
        binding: Binding = UNBOUND,
        resource: tuple[str, ...] = (),
    ) -> Redeemed:
        """Exchange a code for what it buys, in one transaction. Commits.

        ``resource`` narrows whom the access token is for; the grant keeps the whole (RFC 8707
        section 2.2).

        Raises ``OAuthError`` ``invalid_grant``: the code is unknown, used, expired or another
        client's, does not fit ``redirect_uri``, ``code_verifier`` or ``binding``, its session or
        consent is over, or its person is disabled or in no group that the client is for;
        and ``invalid_target`` for a resource that was not granted. A mismatch leaves the code as it
        was; a second use ends the grant (RFC 6749 4.1.2). ``Unconfirmed`` is the caller's to roll
        back.
        """
        claimed = None
        if not resource:
            claimed = claim_at_once(
                self._settings,
                code,
                client=client,
                redirect_uri=redirect_uri,
                code_verifier=code_verifier,
                now=context.at,
            )
        if claimed is not None:
            return self._bought(claimed.row, client, (), context, binding, claimed.refresh)
        row = self._claimed(code, client, context, binding)
        reason = _mismatch(row, redirect_uri, code_verifier, binding)
        if reason is None and not is_for(client, row.user_id):
            reason = IN_NO_GROUP
        if reason is not None:
            db.session.rollback()
            raise _refuse(reason, row, client, context)
        try:
            redeemed = self.redeemed(row, client, resource, context, binding=binding)
        except OAuthError:
            db.session.rollback()
            raise
        db.session.commit()
        return redeemed

    def _claimed(
        self, code: str, client: RegisteredClient, context: Context, binding: Binding
    ) -> AnyRow:
        row = CLAIM.one(
            {
                "hash": filed(code),
                "client": client.id,
                "trusted": is_trusted(client),
                "now": context.at,
                "held": refresh_binding(client, binding).cnf,
            }
        )
        client.confirm(row)
        if row is None:
            raise self._not_claimed(code, client, context)
        return row

    def redeemed(
        self,
        row: AnyRow,
        client: RegisteredClient,
        resource: tuple[str, ...],
        context: Context,
        *,
        binding: Binding,
    ) -> Redeemed:
        """What the grant in a row that has ``FIELDS`` buys, in the caller's transaction.

        Raises ``OAuthError`` ``invalid_target`` when ``resource`` was not granted.
        """
        refresh = self._keep_refresh(row, client, context.at)
        return self._bought(row, client, resource, context, binding, refresh)

    def _bought(
        self,
        row: AnyRow,
        client: RegisteredClient,
        resource: tuple[str, ...],
        context: Context,
        binding: Binding,
        refresh: str | None,
    ) -> Redeemed:
        granted, asked = granted_of(row), asked_of(row)
        tokens = issue_tokens(
            self._settings,
            client=client,
            grant_id=row.id,
            scope=granted.scope,
            resource=narrowed(asked.resource, resource),
            now=context.at,
            binding=binding,
            refresh=refresh,
        )
        return Redeemed(
            grant_id=row.id, granted=granted, asked=asked, scope=granted.scope, tokens=tokens
        )

    def _keep_refresh(self, row: AnyRow, client: RegisteredClient, now: datetime) -> str | None:
        scope = tuple(row.scope.split())
        if not may_refresh(client, scope):
            return None
        until = now + self._settings.refresh_token_lifetime
        idle = self._settings.refresh_token_idle
        return keep_refresh(row.id, scope, now=now, expires_at=until, idle=idle)

    def outlives_code(self, scope: tuple[str, ...]) -> timedelta:
        """How long after its code has expired something that it bought may still be of use."""
        longest = self._settings.access_token_lifetime
        offline = "offline_access" in scope
        return longest + self._settings.refresh_token_lifetime if offline else longest

    def _not_claimed(self, code: str, client: RegisteredClient, context: Context) -> OAuthError:
        row = _BY_CODE.one({"hash": filed(code)})
        if row is None:
            return _refuse("unknown", None, client, context)
        if row.client_id != client.id:
            return _refuse("of another client", row, client, context)
        if row.code_used_at is None:
            return _refuse("expired or ended", row, client, context)
        replayed(row, context, what="code")
        db.session.commit()
        return _invalid_grant()


def _mismatch(
    row: AnyRow, redirect_uri: str | None, code_verifier: str | None, binding: Binding
) -> str | None:
    if row.request.get("dpop_jkt") not in (None, binding.jkt):  # RFC 9449 section 10
        return "dpop_jkt"
    if redirect_uri != row.request.get("redirect_uri"):  # RFC 6749 section 4.1.3
        return "redirect_uri"
    if row.code_challenge is None:
        # RFC 9700 section 2.1.1: a verifier for a code that never had a challenge is an attack.
        return None if code_verifier is None else "code_verifier without challenge"
    if code_verifier is None or not pkce.verify(code_verifier, row.code_challenge):
        return "code_verifier"
    return None


def _refuse(
    reason: str, row: AnyRow | None, client: RegisteredClient, context: Context
) -> OAuthError:
    repeated.record(
        "code.refused",
        context,
        alike=(client.id, reason),
        user_id=row.user_id if row else None,
        client_id=client.id,
        session_id=row.session_id if row else None,
        reason=reason,
    )
    db.session.commit()
    return _invalid_grant()


def _invalid_grant() -> OAuthError:
    # One sentence for all: which of them it is, is for the audit log.
    return OAuthError(
        "invalid_grant", "The code is unknown, used, expired, or does not belong to this request."
    )
