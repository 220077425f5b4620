"""The statements by which a code is claimed: of any number of redemptions, one finds it unused.

The row changes for one of them, however many run at once, on any number of nodes (RFC 6749 section
4.1.2: a code is used once).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Boolean, ColumnElement, Select, Table, bindparam, func, select
from sqlalchemy.sql.dml import ReturningUpdate

from idp.config import Settings
from idp.models import Grant, RefreshToken, new_id_at
from idp.models.plain import Plain
from idp.protocol import pkce
from idp.secrecy import filed, new_secret_at
from idp.services.clients import REVISION_NOW, RegisteredClient
from idp.services.granted import (
    CLIENT_IS_THERE,
    FIELDS,
    IS_ALLOWED,
    SESSION_GOES_ON,
    USER_IS_WELL,
    AnyRow,
)
from idp.services.tokens import keeps_nothing_else, may_refresh

_grants: Final = cast("Table", Grant.__table__)
_refresh: Final = cast("Table", RefreshToken.__table__)

_NOW: Final = bindparam("now", type_=_refresh.c.created_at.type)


def _claiming(*conditions: ColumnElement[bool], **values: Any) -> ReturningUpdate[Any]:
    return (
        _grants.update()
        .where(
            _grants.c.code_hash == bindparam("hash"),
            _grants.c.client_id == bindparam("client"),
            _grants.c.code_used_at.is_(None),
            _grants.c.code_expires_at > bindparam("now"),
            _grants.c.ended_at.is_(None),
            USER_IS_WELL,
            SESSION_GOES_ON,
            IS_ALLOWED,
            *conditions,
        )
        .values(code_used_at=bindparam("now"), **values)
        .returning(*FIELDS, _grants.c.code_challenge, REVISION_NOW)
    )


def _with_refresh_token(claim: ReturningUpdate[Any]) -> Select[Any]:
    """The claim, and a refresh token where the client ``refreshes`` and the person allowed it."""
    claimed = claim.cte("claimed")
    kept = {
        "id": bindparam("refresh", type_=_refresh.c.id.type),
        "token_hash": bindparam("refresh_hash", type_=_refresh.c.token_hash.type),
        "grant_id": claimed.c.id,
        "scope": claimed.c.scope,
        "created_at": _NOW,
        "expires_at": bindparam("idle", type_=_NOW.type),
        "line_ends_at": bindparam("until", type_=_NOW.type),
    }
    allowed = func.strpos(" " + claimed.c.scope + " ", " offline_access ") > 0
    due = select(*kept.values()).where(allowed, bindparam("refreshes", type_=Boolean))
    return select(claimed).add_cte(_refresh.insert().from_select(list(kept), due).cte("kept"))


def _kept(name: str) -> ColumnElement[str]:
    """Of the request; NULL where it had none. See ``granted.kept_of``."""
    return func.json_extract_path_text(_grants.c.request, name)


CLAIM: Final = Plain(_claiming(CLIENT_IS_THERE, cnf=bindparam("held", type_=_grants.c.cnf.type)))
"""What may be wrong with a claimed code is looked at afterwards, and then it is rolled back."""

CLAIM_AT_ONCE: Final = Plain(
    {
        "postgresql": _with_refresh_token(
            _claiming(
                _grants.c.code_challenge == bindparam("challenge"),
                _kept("redirect_uri") == bindparam("redirect_uri"),
                _kept("dpop_jkt").is_(None),
                REVISION_NOW.element == bindparam("revision"),
            )
        )
    }
)
"""One that has nothing wrong with it: the whole transaction is this. Bound to nobody."""


def is_trusted(client: RegisteredClient) -> bool:
    """Is nobody asked for consent to it?"""
    return client.metadata.consent == "never"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that has ``FIELDS``, and the refresh token that was kept with the claim, if one was."""

    row: AnyRow
    refresh: str | None


def claim_at_once(
    settings: Settings,
    code: str,
    *,
    client: RegisteredClient,
    redirect_uri: str | None,
    code_verifier: str | None,
    now: datetime,
) -> Claimed | None:
    """Claim a code with all that it buys, in a transaction that is this statement. Committed.

    None where the database cannot, where another transaction is open already, and for whatever is
    special about a code, or wrong: nothing was claimed then, and ``CLAIM`` will show which it is.
    """
    if not redirect_uri or not code_verifier or not pkce.is_verifier(code_verifier):
        return None
    if not keeps_nothing_else(client) or client.metadata.allowed_groups:
        return None
    if not CLAIM_AT_ONCE.can_be_alone():
        return None
    token, until = new_secret_at(now), now + settings.refresh_token_lifetime
    found = CLAIM_AT_ONCE.end_with(
        {
            "hash": filed(code),
            "client": client.id,
            "trusted": is_trusted(client),
            "revision": client.revision,
            "now": now,
            "challenge": pkce.s256(code_verifier),
            "redirect_uri": redirect_uri,
            "refresh": new_id_at(now),
            "refresh_hash": filed(token),
            "refreshes": may_refresh(client, ("offline_access",)),
            "idle": min(until, now + settings.refresh_token_idle),
            "until": until,
        }
    )
    if not found:
        return None
    is_kept = may_refresh(client, tuple(found[0].scope.split()))
    return Claimed(found[0], token if is_kept else None)
