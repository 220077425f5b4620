"""Which change of the settings was the last: so that nobody overwrites what they have not seen.

It is a row among the settings that were changed, under a name that none of them has.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.models import ChangedSetting, db, new_id
from idp.services.versions import Stale

NAME: Final = ".revision"

_ROW = update(ChangedSetting).where(ChangedSetting.name == NAME)


def current() -> str:
    """Differs from one change to the next; empty before the first."""
    found = select(ChangedSetting.value).where(ChangedSetting.name == NAME)
    return db.session.scalar(found) or ""


def claim(revision: str, now: datetime) -> None:
    """Go on only if this is the current one, in the caller's transaction. Raises ``Stale``."""
    if revision:
        claimed = _renewed(_ROW.where(ChangedSetting.value == revision), now)
    else:
        claimed = _is_first(now)
    if not claimed:
        db.session.rollback()
        raise Stale


def renew(now: datetime) -> None:
    """Something was changed, in the caller's transaction.

    Raises ``IntegrityError`` when somebody else makes the first change at this moment.
    """
    if not _renewed(_ROW, now):
        _insert(now)


def _renewed(statement: Any, now: datetime) -> bool:
    changed = statement.values(value=new_id(), changed_at=now).returning(ChangedSetting.name)
    options = {"synchronize_session": False}
    return db.session.scalar(changed, execution_options=options) is not None


def _is_first(now: datetime) -> bool:
    try:
        with db.session.begin_nested():
            _insert(now)
    except IntegrityError:
        return False
    return True


def _insert(now: datetime) -> None:
    row = {"name": NAME, "value": new_id(), "changed_at": now}
    db.session.execute(insert(ChangedSetting).values(row))
