"""The words by whose beginnings people are found: of their names, addresses and user names."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, insert, select

from idp.models import PersonWord, User, db, reading
from idp.services.search_words import found_by

READ: Final = frozenset({"name", "email", "username"})
"""The fields of an account that they are made of."""

MOST: Final = 200
"""Words of one person, who chooses her name herself."""

AT_ONCE: Final = 200
MISSED_FOR: Final = timedelta(days=2)
"""How long an older version may have made accounts before a process of this one looks at first."""

_CALLED: Final = select(User.name, User.email, User.username)
_NAMELESS: Final = ~exists().where(PersonWord.user_id == User.id)


def words_of(person: Any) -> frozenset[str]:
    """Those of somebody, an account or a row that has the fields."""
    # Her name last, which is the longest: by the others she is found in any case.
    return found_by((person.email, person.username or "", person.name or ""), at_most=MOST)


def add(users: Iterable[User]) -> None:
    """Let new accounts be found, in the caller's transaction, which has stored them."""
    rows = [{"user_id": user.id, "word": word} for user in users for word in words_of(user)]
    if rows:
        db.session.execute(insert(PersonWord), rows)


def keep(user: User) -> None:
    """Let somebody be found by what she is called now and nothing else, in the same way."""
    db.session.flush()  # whoever else changes her waits from here, and then sees these words
    mine = PersonWord.user_id == user.id
    known = set(db.session.scalars(select(PersonWord.word).where(mine)))
    # As stored: what was changed elsewhere since she was read counts as well.
    wanted = words_of(db.session.execute(_CALLED.where(User.id == user.id)).one())
    if gone := known - wanted:
        statement = delete(PersonWord).where(mine, PersonWord.word.in_(gone))
        db.session.execute(statement.execution_options(synchronize_session=False))
    if new := sorted(wanted - known):
        db.session.execute(insert(PersonWord), [{"user_id": user.id, "word": word} for word in new])


def complete(since: datetime) -> int:
    """Let those be found whom a node of an older version made ``since``, which knows no words.

    Only those: all others would be looked at for ever. Returns how many. Commits, so many at a
    time.
    """
    done = 0
    while found := _complete_some(User.created_at > since):
        done += found
    return done


def _complete_some(lately: ColumnElement[bool]) -> int:
    with reading():
        ids = db.session.scalars(select(User.id).where(lately, _NAMELESS).limit(AT_ONCE)).all()
    if not ids:
        return 0
    theirs = select(User).where(User.id.in_(ids), _NAMELESS).with_for_update(skip_locked=True)
    found = db.session.scalars(theirs).all()
    add(found)
    db.session.commit()
    return len(found)
