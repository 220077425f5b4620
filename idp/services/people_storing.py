"""Many accounts at once, by few statements: nobody else writes to SQLite meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import insert

from idp import audit
from idp.audit import Context
from idp.factors import password
from idp.models import Credential, User, db, membership
from idp.services import groups, person_words

Thing = TypeVar("Thing")

AT_ONCE: Final = 500
_COLUMNS: Final = tuple(one.key for one in User.__mapper__.column_attrs if one.key != "version")


@dataclass(frozen=True, slots=True)
class Ready:
    """An account as it will be made."""

    user: User
    groups: Sequence[str]
    hashed: str | None
    disabled: bool


def store(ready: Sequence[Ready], context: Context) -> None:
    """Insert them all, in the caller's transaction. Raises ``IntegrityError`` for a taken name."""
    ids = _group_ids(sorted({name for one in ready for name in one.groups}))
    for part in _parts(ready):
        _insert(User, [_account(one, context) for one in part])
        person_words.add([one.user for one in part])
        _insert(membership, list(_memberships(part, ids)))
        _insert(Credential, list(_passwords(part, context)))
        for one in part:
            audit.record("user.created", context, user_id=one.user.id)


def _group_ids(names: Sequence[str]) -> Mapping[str, str]:
    return {one.name: one.id for part in _parts(names) for one in groups.named(part)}


def _parts(things: Sequence[Thing]) -> Iterator[Sequence[Thing]]:
    for start in range(0, len(things), AT_ONCE):
        yield things[start : start + AT_ONCE]


def _insert(into: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.execute(insert(into), rows)


def _account(one: Ready, context: Context) -> dict[str, Any]:
    values = {name: getattr(one.user, name) for name in _COLUMNS}
    return values | ({"disabled_at": context.at} if one.disabled else {})


def _memberships(part: Sequence[Ready], ids: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for one in part:
        for name in dict.fromkeys(one.groups):
            yield {"user_id": one.user.id, "group_id": ids[name]}


def _passwords(part: Sequence[Ready], context: Context) -> Iterator[dict[str, Any]]:
    """Of accounts that are made in this transaction: so there is no other to take away."""
    for one in part:
        if one.hashed is not None:
            yield password.row(one.user.id, one.hashed, context.at)
