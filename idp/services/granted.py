"""A grant as a value, and as the row that keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import Row, Table, exists, select

from idp.assurance import Rung, Satisfied
from idp.models import Grant, User
from idp.protocol.authorization import AuthorizationRequest
from idp.protocol.claims import ClaimRequest, ClaimsRequest, Requests

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of a Core statement; its reader says which columns it needs."""

_grants: Final = cast("Table", Grant.__table__)
_users: Final = cast("Table", User.__table__)

FIELDS: Final = (
    *(_grants.c.id, _grants.c.client_id, _grants.c.user_id, _grants.c.session_id),
    *(_grants.c.scope, _grants.c.acr, _grants.c.amr, _grants.c.auth_time, _grants.c.request),
)
"""The columns that ``granted`` and ``asked`` read."""

USER_IS_WELL: Final = exists(
    select(_users.c.id).where(_users.c.id == _grants.c.user_id, _users.c.disabled_at.is_(None))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Who allowed whom what, on the strength of which proofs."""

    user_id: str
    session_id: str | None
    client_id: str
    scope: tuple[str, ...]
    satisfied: Satisfied
    details: tuple[Mapping[str, Any], ...] = ()
    """Authorization details that were granted, as tokens carry them (RFC 9396 section 7)."""
    pairwise: str | None = None
    """What the person is called to this client alone (OIDC Core 8.1), where that is so. It stays
    what it was for as long as the grant: a refreshed ID token keeps its ``sub`` (12.2)."""

    @property
    def subject(self) -> str:
        """The ``sub`` of whatever is told to the client about this grant."""
        return self.pairwise or self.user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the authorization request outlives it."""

    redirect_uri: str
    nonce: str | None = None
    claims: ClaimsRequest = ClaimsRequest()  # noqa: RUF009  frozen, so it may be shared
    resource: tuple[str, ...] = ()


def granted_of(row: Row[Any]) -> Granted:
    """The grant in a row that has ``FIELDS``. The proofs themselves stayed with the session."""
    return Granted(
        user_id=row.user_id,
        session_id=row.session_id,
        client_id=row.client_id,
        scope=tuple(row.scope.split()),
        satisfied=Satisfied(
            acr=row.acr,
            rung=Rung(row.request["rung"]),
            amr=tuple(row.amr.split()),
            auth_time=row.auth_time,
            evidence=(),
        ),
        details=tuple(row.request.get("details", ())),
        pairwise=row.request.get("pairwise"),
    )


def asked_of(row: Row[Any]) -> Asked:
    """What was kept of the request in a row that has ``FIELDS``."""
    request: Mapping[str, Any] = row.request
    claims = request.get("claims", {})
    return Asked(
        redirect_uri=request["redirect_uri"],
        nonce=request.get("nonce"),
        claims=ClaimsRequest(
            userinfo=_requests(claims.get("userinfo", ())),
            id_token=_requests(claims.get("id_token", ())),
        ),
        resource=tuple(request.get("resource", ())),
    )


def kept_of(granted: Granted, request: AuthorizationRequest) -> dict[str, Any]:
    """What the token endpoint will need of ``request``, as the column ``request`` keeps it."""
    claims = {"userinfo": list(request.claims.userinfo), "id_token": list(request.claims.id_token)}
    kept = {
        "redirect_uri": request.redirect_uri,
        "nonce": request.nonce,
        "claims": {name: names for name, names in claims.items() if names},
        "resource": list(request.resource),
        "rung": int(granted.satisfied.rung),
        "details": [dict(detail) for detail in granted.details],
        "pairwise": granted.pairwise,
    }
    return {name: value for name, value in kept.items() if value}


def _requests(names: Any) -> Requests:
    # Only the names: what was essential or wanted by value was weighed when the request came.
    return {name: ClaimRequest() for name in names}
