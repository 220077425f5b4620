"""How often settings were changed: whoever changes what somebody else changed since is told."""

from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from idp.models import ChangedSetting, db
from idp.services.stale import Stale

NAME: Final = "#revision"
"""Its row among the settings; no setting is called so."""


def current() -> int:
    """The present one; zero as long as nothing was ever changed."""
    value = db.session.scalar(select(ChangedSetting.value).where(ChangedSetting.name == NAME))
    return int(value or 0)


def _held() -> int:
    """The present one, held until the caller's transaction ends."""
    held = select(ChangedSetting.value).where(ChangedSetting.name == NAME).with_for_update()
    return int(db.session.scalar(held) or 0)


def count(now: datetime, expected: int | None) -> None:
    """One more, by one statement on the revision ``expected``, in the caller's transaction.

    Of any number who looked at the same one succeeds. Raises ``Stale``, and ``IntegrityError``
    from the first change of all when another one is first.
    """
    seen = _held() if expected is None else expected
    if seen == 0:
        _first(now)
    elif not _next(seen, now):
        db.session.rollback()
        raise Stale


def _first(now: datetime) -> None:
    if current() != 0:
        db.session.rollback()
        raise Stale
    db.session.add(ChangedSetting(name=NAME, value="1", changed_at=now))
    db.session.flush()


def _next(seen: int, now: datetime) -> bool:
    moved = db.session.scalar(
        update(ChangedSetting)
        .where(ChangedSetting.name == NAME, ChangedSetting.value == str(seen))
        .values(value=str(seen + 1), changed_at=now)
        .returning(ChangedSetting.name)
        .execution_options(synchronize_session=False)
    )
    return moved is not None
