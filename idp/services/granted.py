"""A grant as a value, and as the row that keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import Boolean, Table, bindparam, exists, or_, select

from idp.assurance import Rung, Satisfied
from idp.frozen import made_often
from idp.models import BrowserSession, Client, Consent, Grant, User, new_id_at
from idp.models.plain import Plain, PlainRow
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.claims import ClaimRequest, ClaimsRequest, Requests

AnyRow: TypeAlias = PlainRow
"""A row that was found; its reader says which columns it needs."""

_grants: Final = cast("Table", Grant.__table__)
_users: Final = cast("Table", User.__table__)
_clients: Final = cast("Table", Client.__table__)
_sessions: Final = cast("Table", BrowserSession.__table__)
_consents: Final = cast("Table", Consent.__table__)

_KEEP: Final = Plain(_grants.insert())

FIELDS: Final = (
    *(_grants.c.id, _grants.c.client_id, _grants.c.user_id, _grants.c.session_id),
    *(_grants.c.scope, _grants.c.acr, _grants.c.amr, _grants.c.auth_time, _grants.c.request),
    _grants.c.cnf,
)
"""The columns that ``granted`` and ``asked`` read."""

USER_IS_WELL: Final = exists(
    select(_users.c.id).where(_users.c.id == _grants.c.user_id, _users.c.disabled_at.is_(None))
)

SESSION_GOES_ON: Final = or_(
    _grants.c.session_id.is_(None),
    exists(
        select(_sessions.c.id)
        .where(_sessions.c.id == _grants.c.session_id, _sessions.c.ended_at.is_(None))
        .with_for_update(read=True)
    ),
)
"""Whoever ends a session ends its grants, but for one that is not committed yet: nobody sees it.

It waits for an end under way, and makes one that comes now wait, which then finds what was bought.
"""

IS_ALLOWED: Final = or_(
    bindparam("trusted", type_=Boolean),
    _grants.c.session_id.is_(None),
    exists(
        select(_consents.c.id)
        .where(
            _consents.c.user_id == _grants.c.user_id, _consents.c.client_id == _grants.c.client_id
        )
        .with_for_update(read=True, key_share=True)
    ),
)
"""Has the person not taken back what she allowed, if the client is not ``trusted`` to go without?

For the same reason, and it waits in the same way. A grant of no session is a trial's, which asks
nobody.
"""

_STANDS: Final = Plain(
    select(_grants.c.id).where(_grants.c.id == bindparam("grant"), SESSION_GOES_ON, IS_ALLOWED)
)

CLIENT_IS_THERE: Final = exists(select(_clients.c.id).where(_clients.c.id == _grants.c.client_id))
"""Nothing else says so where its revision is not looked at: see ``belongings``."""


def stands(grant_id: str, *, trusted: bool) -> bool:
    """Does the session of a grant go on, and is it allowed, unless its client is ``trusted``?

    Then nobody ends either until the caller's transaction ends, in which the grant was written.
    """
    return _STANDS.one({"grant": grant_id, "trusted": trusted}) is not None


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Who allowed whom what, on the strength of which proofs.

    ``user_id`` and ``satisfied`` are None together: the client acts for itself, and nobody proved
    anything (RFC 6749 section 4.4).
    """

    user_id: str | None
    session_id: str | None
    client_id: str
    scope: tuple[str, ...]
    satisfied: Satisfied | None
    details: tuple[Mapping[str, Any], ...] = ()
    """Authorization details that were granted, as tokens carry them (RFC 9396 section 7)."""
    pairwise: str | None = None
    """What the person is called to this client alone (OIDC Core 8.1), where that is so. It stays
    what it was for as long as the grant: a refreshed ID token keeps its ``sub`` (12.2)."""

    act: Mapping[str, Any] | None = None
    """Who acts for the subject, as the claim says it (RFC 8693 section 4.1)."""
    parent: str | None = None
    """The grant whose token was exchanged for this one, which ends with it."""

    @property
    def subject(self) -> str:
        """``sub``: the person as this client knows her, or the client itself (RFC 9068 2.2)."""
        return self.pairwise or self.user_id or self.client_id

    @property
    def person(self) -> str:
        """``user_id`` where there is one. Raises ``ValueError`` for a client's own grant."""
        if self.user_id is None:
            raise ValueError("nobody's grant but the client's")
        return self.user_id

    @property
    def proved(self) -> Satisfied:
        """``satisfied`` where there is a person. Raises ``ValueError`` like ``person``."""
        if self.satisfied is None:
            raise ValueError("nobody's grant but the client's")
        return self.satisfied


@made_often
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the authorization request outlives it."""

    redirect_uri: str | None = None
    """None where there was no redirect: a device, or a client that acts for itself."""
    nonce: str | None = None
    claims: ClaimsRequest = ClaimsRequest()  # noqa: RUF009  frozen, so it may be shared
    resource: tuple[str, ...] = ()


def granted_of(row: AnyRow) -> Granted:
    """The grant in a row that has ``FIELDS``. The proofs themselves stayed with the session."""
    kept: Mapping[str, Any] = row.request
    return Granted(
        user_id=row.user_id,
        session_id=row.session_id,
        client_id=row.client_id,
        scope=tuple(row.scope.split()),
        satisfied=_satisfied_of(row) if row.user_id is not None else None,
        details=tuple(kept.get("details", ())),
        pairwise=kept.get("pairwise"),
        act=kept.get("act"),
        parent=kept.get("parent"),
    )


def _satisfied_of(row: AnyRow) -> Satisfied:
    return Satisfied(
        acr=row.acr,
        rung=Rung(row.request["rung"]),
        amr=tuple(row.amr.split()),
        auth_time=row.auth_time,
        evidence=(),
    )


def asked_of(row: AnyRow) -> Asked:
    """What was kept of the request in a row that has ``FIELDS``."""
    request: Mapping[str, Any] = row.request
    claims = request.get("claims")
    return Asked(
        redirect_uri=request.get("redirect_uri"),
        nonce=request.get("nonce"),
        claims=_claims_of(claims) if claims else _NO_CLAIMS,
        resource=tuple(request.get("resource", ())),
    )


def row_of(granted: Granted, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a grant that say what ``FIELDS`` read; ``kept`` is the column ``request``."""
    satisfied = granted.satisfied
    return {
        "client_id": granted.client_id,
        "user_id": granted.user_id,
        "session_id": granted.session_id,
        "scope": " ".join(granted.scope),
        "acr": satisfied.acr if satisfied else None,
        "amr": " ".join(satisfied.amr) if satisfied else None,
        "auth_time": satisfied.auth_time if satisfied else None,
        "request": {**_kept_of_grant(granted), **kept},
    }


def keep_grant(
    granted: Granted, kept: Mapping[str, Any], *, now: datetime, expires_at: datetime
) -> str:
    """Write a grant that no code redeems, in the caller's transaction; returns its id."""
    grant_id = new_id_at(now)
    row = {"id": grant_id, "created_at": now, "expires_at": expires_at, **row_of(granted, kept)}
    _KEEP.run(row)
    return grant_id


def _kept_of_grant(granted: Granted) -> dict[str, Any]:
    kept = {
        "rung": int(granted.satisfied.rung) if granted.satisfied else None,
        "details": [dict(detail) for detail in granted.details],
        "pairwise": granted.pairwise,
        "act": granted.act,
        "parent": granted.parent,
    }
    return {name: value for name, value in kept.items() if value}


def kept_of(request: AuthorizationRequest) -> dict[str, Any]:
    """What the token endpoint will need of ``request``, as the column ``request`` keeps it."""
    claims = {"userinfo": list(request.claims.userinfo), "id_token": list(request.claims.id_token)}
    kept = {
        "redirect_uri": request.redirect_uri,
        "nonce": request.nonce,
        "claims": {name: names for name, names in claims.items() if names},
        "resource": list(request.resource),
        "dpop_jkt": request.dpop_jkt,
    }
    return {name: value for name, value in kept.items() if value}


_NO_CLAIMS: Final = ClaimsRequest()


def _claims_of(kept: Mapping[str, Any]) -> ClaimsRequest:
    return ClaimsRequest(
        userinfo=_requests(kept.get("userinfo", ())), id_token=_requests(kept.get("id_token", ()))
    )


def _requests(names: Any) -> Requests:
    # Only the names: what was essential or wanted by value was weighed when the request came.
    return {name: ClaimRequest() for name in names}
