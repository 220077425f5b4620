"""The record of a sign-in under way: begun, found again, advanced, finished."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hmac import compare_digest
from types import SimpleNamespace
from typing import Any, Final, cast

from sqlalchemy import JSON, Table, bindparam, select

from idp.audit import Context
from idp.frozen import made_often
from idp.json_text import dump_sorted
from idp.models import Client, Transaction, new_id_at
from idp.models.plain import Plain
from idp.secrecy import digest

REMEMBERED = timedelta(days=1)
"""How long past its end a transaction still tells where it was going, so that it can start anew."""


SUBJECT = "subject"
"""In the state: the one person whom the request is about, before she has shown that she is here.

She is not pinned by it, for then the page would tell whoever comes who she is and what she has.
"""

TYPED = "typed"
"""In the state: an address that was typed and asks for nothing, only not to be typed again."""

NOTE = "note"
"""In the state: which notice stands above its first step."""

AGAIN = "again"
"""In the state: it was begun because a change came with too little proof, and was not done."""

TURNED_AWAY = "turned_away"
"""In the state, once it is finished: whom its application admits was yet to be said."""

_STEP = "step"
_WAITING: Final = "waiting"
_NOTHING: Final[Mapping[str, Any]] = {}

_transactions: Final = cast("Table", Transaction.__table__)
_COLUMNS: Final = tuple(column.name for column in _transactions.columns)
_BLANK: Final[Mapping[str, Any]] = dict.fromkeys(_COLUMNS)
_JSON: Final = frozenset(one.name for one in _transactions.columns if isinstance(one.type, JSON))
_BEGIN: Final = Plain(_transactions.insert())
_clients: Final = cast("Table", Client.__table__)
_BEGIN_AT: Final = Plain(
    _transactions.insert()
    .from_select(
        _COLUMNS,
        select(*(bindparam(one.name, type_=one.type).label(one.name) for one in _transactions.c))
        .select_from(_clients)
        .where(_clients.c.id == bindparam("client"), _clients.c.revision == bindparam("revision")),
    )
    .returning(_transactions.c.id)
)
_FIND: Final = Plain(
    select(_transactions, _clients.c.revision.label("client_revision"))
    .select_from(_transactions.outerjoin(_clients, _clients.c.id == _transactions.c.client_id))
    .where(_transactions.c.id == bindparam("id"))
)


class Overtaken(Exception):
    """Another request has advanced this transaction since it was read."""


@made_often
@dataclass(frozen=True, slots=True)
class Purpose:
    """What a sign-in is for: an authorization request, or a page of our own (``return_to``)."""

    client_id: str | None = None
    parameters: Mapping[str, Any] | None = None
    return_to: str | None = None
    state: Mapping[str, Any] | None = None


def begin(purpose: Purpose, **bound: Any) -> Transaction:
    """Start a transaction, in the caller's. Takes what ``made`` takes."""
    transaction = made(purpose, **bound)
    store(transaction)
    return transaction


def store(transaction: Transaction) -> None:
    """Start one that was ``made``, in the caller's transaction."""
    _BEGIN.run(vars(transaction))


def store_alone(transaction: Transaction) -> None:
    """The same, and commit: nothing was proved yet, and whoever loses it in a crash begins anew."""
    _BEGIN.end_unwaited(vars(transaction))


def store_at(transaction: Transaction, revision: int) -> bool:
    """The same, if its application's registration is at ``revision``: was it?"""
    row = {**vars(transaction), "client": transaction.client_id, "revision": revision}
    return bool(_BEGIN_AT.end_unwaited(row))


def made(
    purpose: Purpose,
    *,
    browser_token: str,
    lifetime: timedelta,
    context: Context,
    user_id: str | None = None,
    session_id: str | None = None,
    after: Iterable[datetime] = (),
    transaction_id: str | None = None,
) -> Transaction:
    """A transaction, bound to the browser and, where ``user_id`` is given, to a person; not stored.

    ``after`` is when what the browser's session holds was proved. All of it was before this, even
    if a node whose clock is ahead wrote down a time that is still to come.
    """
    return _value(
        {
            **_BLANK,
            "id": transaction_id or new_id_at(context.at),
            "browser_hash": digest(browser_token),
            "version": 0,
            "user_id": user_id,
            "session_id": session_id,
            "client_id": purpose.client_id,
            "parameters": dict(purpose.parameters) if purpose.parameters is not None else None,
            "return_to": purpose.return_to,
            "state": dict(purpose.state or {}),
            "started_at": max([context.at, *(at + timedelta.resolution for at in after)]),
            "expires_at": context.at + lifetime,
        }
    )


def _value(columns: Mapping[str, Any]) -> Transaction:
    """The record as a value: the ORM's books on it cost more than the statement that found it."""
    return cast("Transaction", SimpleNamespace(**columns))


def time_in(transaction: Transaction, now: datetime) -> datetime:
    """When something happens in it: never before it began, whoever's clock says so."""
    return max(now, transaction.started_at)


def find(transaction_id: str, *, browser_token: str | None) -> Transaction | None:
    """The transaction, if this browser began it; also when it has expired or is finished."""
    if browser_token is None:
        return None
    row = _FIND.one({"id": transaction_id})
    if row is None or not compare_digest(row.browser_hash, digest(browser_token)):
        return None
    return _value(row._asdict())


def client_revision(transaction: Transaction) -> int | None:
    """At which revision its application was when it was found; None for who did not look."""
    revision: int | None = getattr(transaction, "client_revision", None)
    return revision


def typed_in(transaction: Transaction) -> str:
    """The address that was typed into it, whatever for."""
    state = transaction.state
    return str(state.get("login_name") or state.get(TYPED) or "")


def subject_of(transaction: Transaction) -> str | None:
    """Who alone may finish this sign-in, where that is settled: pinned, or asked for."""
    return transaction.user_id or transaction.state.get(SUBJECT)


def purpose_of(transaction_id: str) -> Purpose | None:
    """What a transaction was for, whoever asks: enough to start another, and nothing of a person.

    An authorization request is no secret from somebody who holds its address.
    """
    found = _FIND.one({"id": transaction_id})
    if found is None or found.parameters is None:
        return None
    return Purpose(client_id=found.client_id, parameters=found.parameters)


def advance(transaction: Transaction, *, ends: bool = False, **changes: Any) -> None:
    """Move the record one step on; raises ``Overtaken`` when somebody else did so first.

    The condition on ``version`` is what makes a double submit, a second tab and a race between
    two nodes come out as one step. ``ends`` says that nothing else is to be written: then it
    commits, and nothing was written when it raises.
    """
    waiting: Mapping[str, Any] = getattr(transaction, _WAITING, _NOTHING)  # and shown already
    written = {**waiting, **changes}
    statement = _advancing(tuple(written))
    claim = {**written, "of": transaction.id, "at_version": transaction.version}
    if not (statement.end_if(claim) if ends else statement.all(claim)):
        raise Overtaken
    transaction.version += 1
    setattr(transaction, _WAITING, _NOTHING)
    _show(transaction, changes)


def _show(transaction: Transaction, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(transaction, name, _as_kept(name, value))


@cache
def _advancing(names: tuple[str, ...]) -> Plain:
    """Moves a transaction on and changes these of its columns."""
    return Plain(
        _transactions.update()
        .where(
            _transactions.c.id == bindparam("of"),
            _transactions.c.version == bindparam("at_version"),
            _transactions.c.finished_at.is_(None),
        )
        .values(
            version=_transactions.c.version + 1,
            **{name: bindparam(name, type_=_transactions.c[name].type) for name in names},
        )
        .returning(_transactions.c.version)
    )


def _as_kept(name: str, value: Any) -> Any:
    """What reading it back would bring: nobody holds on to a part of it."""
    return json.loads(dump_sorted(value)) if name in _JSON else value


def next_step(transaction: Transaction, *, state: Mapping[str, Any], **changes: Any) -> None:
    """The same for what ends a step: forms that were made for it are worthless from here on."""
    advance(transaction, state={**state, _STEP: transaction.version + 1}, **changes)


def take_step(transaction: Transaction, *, state: Mapping[str, Any], **changes: Any) -> None:
    """The same, written with whatever advances the record next, so that one step which is the last
    is written once. Whoever commits before that has to ``settle`` it."""
    changes = {"state": {**state, _STEP: transaction.version + 1}, **changes}
    setattr(transaction, _WAITING, changes)
    _show(transaction, changes)


def settle(transaction: Transaction) -> None:
    """Write a step that was only taken. Raises ``Overtaken``."""
    if getattr(transaction, _WAITING, _NOTHING):
        advance(transaction)


def step_of(transaction: Transaction) -> int:
    """The version with which its present step began."""
    step: int = transaction.state.get(_STEP, 0)
    return step


def finish(
    transaction: Transaction,
    answer: str,
    now: datetime,
    *,
    turned_away: bool = False,
    ends: bool = False,
) -> None:
    """Say where the browser goes, once and for all. ``ends`` is ``advance``'s.

    ``turned_away``: by way of a page that says nobody is admitted.
    """
    state = {TURNED_AWAY: True} if turned_away else {}
    advance(transaction, ends=ends, answer=answer, finished_at=now, state=state)


def is_over(transaction: Transaction, now: datetime) -> bool:
    """Has its time run out before it was finished?"""
    return transaction.finished_at is None and now >= transaction.expires_at
