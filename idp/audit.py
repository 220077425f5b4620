"""The audit log: what happened, in the transaction that made it happen, and never a secret."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Table

from idp import measures
from idp.frozen import made_often
from idp.models import AuditEvent
from idp.models.plain import Plain

_RECORD: Final = Plain(cast("Table", AuditEvent.__table__).insert())
_NAME = re.compile(r"[a-z_]+(\.[a-z_]+){1,2}")
_SECRET_NAMES = frozenset(
    {
        "password",
        "new_password",
        "otp",
        "recovery_code",
        "code",
        "client_secret",
        "token",
        "access_token",
        "refresh_token",
        "id_token",
        "code_verifier",
        "passkey_response",
        "seed",
        "secret",
    }
)


@made_often
@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of a request: when, from where, by whom, under which reference."""

    at: datetime
    address: str = ""
    user_agent: str = ""
    actor_id: str | None = None
    request_id: str | None = None
    via: str | None = None
    """The application that acted for the actor, where one did."""


def record(
    name: str,
    context: Context,
    *,
    user_id: str | None = None,
    client_id: str | None = None,
    session_id: str | None = None,
    transaction_id: str | None = None,
    reference: str | None = None,
    **data: Any,
) -> None:
    """Add one event, ``subject.action[.outcome]``, to the caller's transaction.

    Raises ``ValueError`` for a name out of form, and for data under a name that secrets go by:
    what must not be kept is refused where it is written, not filtered where it is read.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not subject.action[.outcome]")
    if leaked := _SECRET_NAMES & data.keys():
        raise ValueError(f"audit data may not hold {', '.join(sorted(leaked))}")
    measures.event(name)
    if context.request_id:
        data["request_id"] = context.request_id
    if context.via:
        data["via"] = context.via
    _RECORD.later(
        {
            "at": context.at,
            "name": name,
            "actor_id": context.actor_id or user_id,
            "user_id": user_id,
            "client_id": client_id,
            "session_id": session_id,
            "transaction_id": transaction_id,
            "address": context.address or None,
            "reference": reference,
            "data": data,
        }
    )
