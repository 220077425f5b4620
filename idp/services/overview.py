"""How much there is here, counted no further than matters: as quick with a million as with ten."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from idp.models import AuditEvent, Client, User, db
from idp.services.roles import ADMINISTRATOR
from idp.services.sign_in_told import OPENED

MOST: Final = 1000
"""What is more than this is told as "more than 1000"."""
SHOWN: Final = 5
LOOKED_AT: Final = 2000
"""So many events back, and no further, are sign-ins looked for."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody who signed in: who, when, from where."""

    name: str
    email: str
    at: datetime
    address: str | None


def counts() -> Mapping[str, int]:
    """People, applications and administrators; each at most ``MOST`` + 1."""
    # Both: the index holds only those who have a role.
    held = and_(User.role.is_not(None), User.role == ADMINISTRATOR)
    return {
        "people": _up_to_most(select(User.id)),
        "clients": _up_to_most(select(Client.id)),
        "administrators": _up_to_most(select(User.id).where(held, User.disabled_at.is_(None))),
    }


def last_sign_ins(proved: Iterable[str]) -> Sequence[SignIn]:
    """The latest few that were finished, by one of the methods ``proved``, the newest first."""
    latest = db.session.scalar(select(func.max(AuditEvent.id))) or 0
    names = [f"login.{method}.accepted" for method in proved]
    statement = (
        select(User, AuditEvent.at, AuditEvent.address)
        .join(User, User.id == AuditEvent.user_id)
        .where(AuditEvent.id > latest - LOOKED_AT, AuditEvent.name.in_(names), _finished())
        .order_by(AuditEvent.id.desc())
        .limit(SHOWN)
    )
    return [
        SignIn(user.display_name, user.email, at, address)
        for user, at, address in db.session.execute(statement)
    ]


def _finished() -> ColumnElement[bool]:
    """Events of an older version do not tell, and count as they always did."""
    told = AuditEvent.data["session"].as_string()
    return or_(told.is_(None), told == OPENED)


def _up_to_most(statement: Select[Any]) -> int:
    few = statement.limit(MOST + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(few)) or 0
