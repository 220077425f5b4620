"""Browser sessions and their ledger: opened, presented, rotated, ended."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Table, and_, bindparam, exists, false, or_, select, update
from sqlalchemy.orm import aliased

from idp import audit
from idp.assurance import Evidence
from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Proof
from idp.models import BrowserSession, Consent, Credential, EvidenceRow, User, db, new_id_at
from idp.models.base import dialect
from idp.models.plain import Plain
from idp.secrecy import filed
from idp.services import logout_notices
from idp.services.clients import REVISION_NOW, is_client_id
from idp.services.going_on import rotated
from idp.services.live import Live, Seen, evidence_of, shown_by

SEEN_EVERY = timedelta(minutes=1)
"""How precisely idle time is known; a write for each request would be worth less than it costs."""


_second_step = aliased(Credential)
_PRESENT = (
    select(
        BrowserSession.id,
        BrowserSession.user_id,
        BrowserSession.token_hash.is_not(None).label("opened"),
        BrowserSession.persistent,
        BrowserSession.last_seen_at,
        User.email,
        User.name,
        User.role,
        EvidenceRow.method,
        EvidenceRow.credential_id,
        EvidenceRow.proves,
        EvidenceRow.amr,
        EvidenceRow.at,
        EvidenceRow.transaction_id,
    )
    .join(User, User.id == BrowserSession.user_id)
    .join(EvidenceRow, EvidenceRow.session_id == BrowserSession.id)
    .where(BrowserSession.ended_at.is_(None), User.disabled_at.is_(None))
)
_ALLOWED = (
    select(Consent.scope)
    .where(Consent.user_id == BrowserSession.user_id, Consent.client_id == bindparam("client"))
    .scalar_subquery()
    .label("allowed")
)
_IN_TIME = and_(
    BrowserSession.expires_at > bindparam("now"),
    or_(
        BrowserSession.last_seen_at > bindparam("seen_since"),
        BrowserSession.persistent.is_(True)
        & (BrowserSession.last_seen_at > bindparam("kept_since")),
    ),
)

_sessions: Final = cast("Table", BrowserSession.__table__)
_THIS: Final = _sessions.update().where(_sessions.c.id == bindparam("session"))
_START: Final = Plain(_sessions.insert())
_evidence: Final = cast("Table", EvidenceRow.__table__)
_BEGUN: Final = {
    column.name: f"begun_{column.name}" for column in _sessions.columns if column.name != "ended_at"
}
_VALUES: Final = {
    name: bindparam(begun, type_=_sessions.c[name].type) for name, begun in _BEGUN.items()
}
_START_AND_ADD: Final = Plain(
    {
        # One statement, whose values for the session have names of their own.
        "postgresql": _evidence.insert().add_cte(_sessions.insert().values(_VALUES).cte("begun")),
        "sqlite": _evidence.insert(),
    }
)
_TOUCH: Final = Plain(_THIS.values(last_seen_at=bindparam("now")))
_ADD: Final = Plain(_evidence.insert())


class Sessions:
    """The sessions of all browsers. ``second_steps`` are the kinds that count as a second step."""

    def __init__(self, settings: Settings, *, second_steps: Iterable[str]) -> None:
        self._settings = settings
        self._second_steps = frozenset(second_steps)
        has_second_step = exists().where(
            _second_step.user_id == BrowserSession.user_id,
            or_(false(), *(_second_step.kind == kind for kind in sorted(self._second_steps))),
            _second_step.used_at.is_(None),
        )
        present = _PRESENT.add_columns(has_second_step.label("has_second_step")).where(_IN_TIME)
        # Built once: building them costs more than the database takes to answer.
        by_token = present.where(BrowserSession.token_hash == bindparam("key"))
        self._by_token = Plain(by_token)
        self._beside_client = Plain(by_token.add_columns(REVISION_NOW, _ALLOWED))
        self._by_id = Plain(present.where(BrowserSession.id == bindparam("key")))

    def present(
        self, token: str | None, now: datetime, *, client_id: str | None = None
    ) -> Live | None:
        """The live session that a cookie names; None when it is unknown, over, idle or disabled.

        With what is ``seen`` of the client of that id, in the same look.
        """
        if not token:
            return None
        if client_id is None or not is_client_id(client_id):
            return self._live(self._by_token, filed(token), now)
        return self._live(self._beside_client, filed(token), now, client=client_id)

    def by_id(self, session_id: str, now: datetime) -> Live | None:
        """The same by its id, also for one that no cookie can present yet."""
        return self._live(self._by_id, session_id, now)

    def _live(
        self, statement: Plain, key: str, now: datetime, *, client: str | None = None
    ) -> Live | None:
        asked = {
            "key": key,
            "now": now,
            "seen_since": now - self._settings.session_idle,
            "kept_since": now - self._settings.session_idle_kept,
        }
        rows = statement.all(asked if client is None else {**asked, "client": client})
        if not rows:
            return None
        first = rows[0]
        seen = Seen(client, first.revision_now, first.allowed) if client is not None else None
        return Live(
            id=first.id,
            user_id=first.user_id,
            email=first.email,
            name=first.name,
            role=first.role,
            has_second_step=first.has_second_step,
            opened=first.opened,
            persistent=first.persistent,
            last_seen_at=first.last_seen_at,
            evidence=tuple(evidence_of(row) for row in rows),
            at=now,
            seen=seen,
        )

    def touch(self, session: Live, now: datetime) -> bool:
        """Note that the session is in use, at most once a minute. Was it noted now?"""
        if due := now - session.last_seen_at >= SEEN_EVERY:
            _TOUCH.run({"session": session.id, "now": now})
        return due

    def start(
        self,
        user_id: str,
        *,
        persistent: bool,
        context: Context,
        token: str | None = None,
        first: Evidence | None = None,
    ) -> str:
        """A new session for a ``first`` proof, or for one that is added later. By ``token`` a
        cookie can present it; without one, none can before ``rotate``."""
        settings = self._settings
        lifetime = settings.session_lifetime_kept if persistent else settings.session_lifetime
        session_id = new_id_at(context.at)
        row = {
            "id": session_id,
            "user_id": user_id,
            "token_hash": filed(token) if token else None,
            "persistent": persistent,
            "user_agent": context.user_agent[:400],
            "address": context.address,
            "created_at": context.at,
            "last_seen_at": context.at,
            "expires_at": context.at + lifetime,
        }
        _start(row, _noted(session_id, first, enrolled=False) if first else None)
        return session_id

    def add(
        self,
        session_id: str,
        proof: Proof,
        *,
        method: str,
        transaction_id: str,
        now: datetime,
        enrolled: bool = False,
    ) -> Evidence:
        """Append one proof to the ledger."""
        evidence = shown_by(proof, method=method, transaction_id=transaction_id, now=now)
        self.note(session_id, evidence, enrolled=enrolled)
        return evidence

    def note(self, session_id: str, evidence: Evidence, *, enrolled: bool = False) -> None:
        """The same for what is evidence already."""
        _ADD.later(_noted(session_id, evidence, enrolled=enrolled))

    def begun(
        self,
        session_id: str,
        user: User,
        held: Sequence[Credential],
        evidence: Evidence,
        *,
        persistent: bool,
        now: datetime,
    ) -> Live:
        """What ``present`` would find of a session that was started, with a token, at ``now``."""
        return Live(
            id=session_id,
            user_id=user.id,
            email=user.email,
            name=user.name,
            role=user.role,
            has_second_step=any(
                one.kind in self._second_steps and one.used_at is None for one in held
            ),
            opened=True,
            persistent=persistent,
            last_seen_at=now,
            evidence=(evidence,),
            at=now,
        )

    def rotate(self, session_id: str, now: datetime) -> str:
        """Give the session a new token, which makes the old one worthless; returns it once.
        Raises ``Overtaken`` when it was ended meanwhile."""
        return rotated(session_id, now)


def _start(row: Mapping[str, Any], proof: Mapping[str, Any] | None) -> None:
    if proof is not None and dialect() == "postgresql":
        _START_AND_ADD.later({**proof, **{_BEGUN[name]: row[name] for name in row}})
        return
    _START.later(row)
    if proof is not None:
        _ADD.later(proof)


def _noted(session_id: str, evidence: Evidence, *, enrolled: bool) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "transaction_id": evidence.transaction_id,
        "method": evidence.method,
        "credential_id": evidence.credential_id,
        "proves": " ".join(sorted(evidence.proves)),
        "amr": " ".join(evidence.amr),
        "enrolled": enrolled,
        "at": evidence.at,
    }


def end(session_id: str, *, user_id: str, context: Context, reason: str) -> bool:
    """End one session of this person; False when there is none such that is not over."""
    ended = db.session.scalar(
        update(BrowserSession)
        .where(
            BrowserSession.id == session_id,
            BrowserSession.user_id == user_id,
            BrowserSession.ended_at.is_(None),
        )
        .values(ended_at=context.at)
        .returning(BrowserSession.id)
    )
    if ended is not None:
        record_ended([session_id], user_id, context, reason)
    return ended is not None


def end_all(
    user_id: str, *, context: Context, except_id: str | None = None, reason: str = "all"
) -> int:
    """End every session of a person, but for ``except_id``; returns how many."""
    statement = update(BrowserSession).where(
        BrowserSession.user_id == user_id, BrowserSession.ended_at.is_(None)
    )
    if except_id is not None:
        statement = statement.where(BrowserSession.id != except_id)
    ended = db.session.scalars(
        statement.values(ended_at=context.at).returning(BrowserSession.id)
    ).all()
    record_ended(ended, user_id, context, reason)
    return len(ended)


def record_ended(session_ids: Sequence[str], user_id: str, context: Context, reason: str) -> None:
    """However a session ends: it is on record, and whoever was signed in to will hear of it."""
    for session_id in session_ids:
        audit.record(
            "session.ended", context, user_id=user_id, session_id=session_id, reason=reason
        )
    logout_notices.owe(session_ids, user_id=user_id, context=context)


__all__ = ["SEEN_EVERY", "Live", "Sessions", "end", "end_all", "record_ended"]
