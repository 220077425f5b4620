"""How often a short code may be guessed at: each guess is counted before it is judged."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from idp.models import Counter, db
from idp.secrecy import digest


def allow_tries(handle: str, *, now: datetime, lifetime: timedelta) -> None:
    """Begin to count guesses at the code that stands for ``handle``."""
    db.session.execute(
        insert(Counter).values(
            key=_key(handle), count=0, window_start=now, expires_at=now + lifetime
        )
    )


def spend_try(handle: str, *, of: int) -> bool:
    """Count one guess before it is judged; False when there are none left.

    One conditional statement: however many guess at once, over any number of processes, no more
    than ``of`` are judged.
    """
    spent = db.session.execute(
        update(Counter)
        .where(Counter.key == _key(handle), Counter.count < of)
        .values(count=Counter.count + 1)
        .returning(Counter.count)
        .execution_options(synchronize_session=False)
    )
    return spent.scalar_one_or_none() is not None


def has_tries(handle: str, *, of: int) -> bool:
    """Are there guesses left?"""
    left = select(Counter.key).where(Counter.key == _key(handle), Counter.count < of)
    return db.session.execute(left).scalar_one_or_none() is not None


def _key(handle: str) -> str:
    return f"tries:{digest(handle)}"
