"""Clients found by how words of their names, ids and redirect addresses begin."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, false, insert, select

from idp.models import Client, ClientWord, db, reading
from idp.services.search_words import found_by, words_in

MOST: Final = 200
"""Words of one client: somebody who registers by himself decides how many there are."""
FEW: Final = 200
"""Clients that are looked up by their ids. Where more have the word, one is never far."""
_LAST: Final = "\U0010ffff"


def keep(client_id: str, name: str, redirect_uris: Sequence[str]) -> None:
    """Let it be found by these words and no others, in the caller's transaction."""
    wanted = found_by((name, client_id, *redirect_uris), at_most=MOST)
    known = set(
        db.session.scalars(select(ClientWord.word).where(ClientWord.client_id == client_id))
    )
    if gone := known - wanted:
        db.session.execute(
            delete(ClientWord)
            .where(ClientWord.client_id == client_id, ClientWord.word.in_(gone))
            .execution_options(synchronize_session=False)
        )
    if new := sorted(wanted - known):
        rows = [{"client_id": client_id, "word": word} for word in new]
        db.session.execute(insert(ClientWord), rows)


def complete() -> int:
    """Let those be found that a node of an older version registers, which knows no words.

    So many at a time; returns how many. Commits.
    """
    without = ~exists().where(ClientWord.client_id == Client.id)
    with reading():
        ids = db.session.scalars(select(Client.id).where(without).limit(FEW)).all()
    if not ids:
        return 0
    theirs = select(Client.id, Client.name, Client.registration).where(Client.id.in_(ids), without)
    found = db.session.execute(theirs.with_for_update(skip_locked=True)).all()
    for row in found:
        keep(row.id, row.name, row.registration.get("redirect_uris", ()))
    db.session.commit()
    return len(found)


def having(wanted: str) -> tuple[ColumnElement[bool], ...]:
    """Conditions for the clients of which each word of ``wanted`` begins one.

    What that costs does not grow with the number of clients, unless all the words are common and
    next to nobody has all of them.
    """
    words = words_in(wanted)
    all_of_them = tuple(_has(word) for word in words)
    for word in sorted(words, key=len, reverse=True):  # which is mostly the rarest first
        ids = _ids(word)
        if ids is not None:
            return (Client.id.in_(ids), *all_of_them) if ids else (false(),)
    return all_of_them


def _ids(word: str) -> frozenset[str] | None:
    """Whom it begins a word of; None where these are not ``FEW``."""
    # In the order of the index, so that no more of it is read than that.
    having_it = select(ClientWord.client_id).where(_begins(word)).order_by(ClientWord.word)
    found = db.session.scalars(having_it.limit(FEW + 1)).all()
    return frozenset(found) if len(found) <= FEW else None


def _has(word: str) -> ColumnElement[bool]:
    return exists().where(ClientWord.client_id == Client.id, _begins(word)).correlate(Client)


def _begins(word: str) -> ColumnElement[bool]:
    column: Any = ClientWord.word
    return and_(column >= word, column < f"{word}{_LAST}")
