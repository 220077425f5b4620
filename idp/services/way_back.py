"""Whoever administers must be able to come back: no change of settings may shut out all of them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import select

from idp.assurance import MAILBOX, Traits
from idp.assurance.trait import opens, two_kinds
from idp.models import Credential, User, db
from idp.services import methods
from idp.services.methods import Way
from idp.services.roles import ADMINISTRATOR

TOLD: Final = (
    "must leave an administrator two factors that she has, or may set up while she signs in: the"
    " console asks for them"
)

_HELD: Final = (
    select(User.id, Credential.kind)
    .outerjoin(Credential, (Credential.user_id == User.id) & Credential.used_at.is_(None))
    .where(User.role == ADMINISTRATOR, User.disabled_at.is_(None), User.deletion_due_at.is_(None))
    .distinct()
)


def problem(
    ways: Iterable[Way], *, now: Mapping[str, Any], then: Mapping[str, Any], mails: bool
) -> str | None:
    """Why the settings ``then`` will not do, where by those of ``now`` somebody can come back."""
    there = tuple(ways)
    held: dict[str, set[str]] = {}
    for row in db.session.execute(_HELD):
        held.setdefault(row.id, set()).add(row.kind)
    could = any(_comes_back(one, there, now, mails=mails) for one in held.values())
    can = any(_comes_back(one, there, then, mails=mails) for one in held.values())
    return TOLD if could and not can else None


def _comes_back(
    kinds: set[str], ways: Iterable[Way], values: Mapping[str, Any], *, mails: bool
) -> bool:
    """Something opens a session for her, and with what there is beside it she gets to two kinds."""
    left = [one for one in ways if _is_left(one, values)]
    held: list[Traits] = [one.can_prove for one in left if one.name in kinds]
    mailed = mails and any(one.can_prove == MAILBOX.proves for one in left)
    new = [one.can_prove for one in left if one.enrolable] if values["enrol_in_step_up"] else []
    return (mailed or any(map(opens, held))) and two_kinds([*held, *new])


def _is_left(way: Way, values: Mapping[str, Any]) -> bool:
    return methods.is_left(
        way, refused=values["refused_methods"], login_style=values["login_style"]
    )
