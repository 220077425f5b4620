"""Setting up a way to sign in: any factor's, begun, kept on the server, finished once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from idp import audit
from idp.assurance import Trait
from idp.audit import Context
from idp.config import Settings
from idp.factors import magic_link
from idp.factors.base import ANY_WAY, Answer, Enrolled, Factor, Refused, Wish
from idp.factors.rows import hold
from idp.models import User, db, new_id
from idp.secrecy import Box
from idp.services import kept, open_links
from idp.services.going_on import goes_on
from idp.services.holdings import Holdings, credentials_of
from idp.services.notices import Notices, sentence
from idp.services.once import Once
from idp.services.sessions import Live, Sessions
from idp.services.throttle import Throttle
from idp.state import supersede

PURPOSE: Final = "enrolment"
LEFT_AT_LEAST: Final = timedelta(minutes=5)
"""A ceremony nearer to its end than this is not shown again: somebody may yet look for a key."""

NO_SECOND_STEP = Refused(
    "no_second_step",
    "Recovery codes stand in for a second step. Set one up first; they come with it.",
    counts=False,
)
_NOT_PENDING = Refused("not_pending", "That was done already, or started anew.", counts=False)
_OVER = Refused("session_over", "You were signed out meanwhile. Sign in again.", counts=False)


@dataclass(frozen=True, slots=True)
class Made:
    """What was set up. ``action`` is "added", or "replaced" where an old one went for it.

    ``show`` is what is to be shown once, by the method that it belongs to: codes of this method's
    own, or those that come with a first second step.
    """

    method: str
    action: str
    enrolled: Enrolled
    show: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    session_token: str | None = None
    """The session's new cookie, where setting it up was a proof as well."""


class Enrolment:
    """Sets factors up for people whose demand has been met; that is the caller's to see to."""

    def __init__(
        self,
        settings: Settings,
        box: Box,
        *,
        factors: Mapping[str, Factor],
        holdings: Holdings,
        sessions: Sessions,
        throttle: Throttle,
        notices: Notices,
        once: Once,
    ) -> None:
        self._lifetime = settings.transaction_lifetime
        self._box = box
        self._factors = factors
        self._holdings = holdings
        self._sessions = sessions
        self._throttle = throttle
        self._notices = notices
        self._once = once

    def begin(
        self,
        user: User,
        method: str,
        *,
        session_id: str,
        context: Context,
        wish: Wish = ANY_WAY,
    ) -> Mapping[str, Any]:
        """Start setting it up in this session; returns what the page needs. Commits.

        The same ceremony stands for every view of the page until it is answered, so that neither
        a reload nor a second tab makes a scanned code or a challenge worthless.
        """
        owner = _owner(session_id, method, wish)
        hold(user.id)
        begun = self._begun(owner, context.at)
        if begun is None or datetime.fromisoformat(begun["until"]) - context.at < LEFT_AT_LEAST:
            begun = self._start(user, method, owner, context.at, wish)
        db.session.commit()
        public: Mapping[str, Any] = begun["public"]
        return public

    def _start(
        self, user: User, method: str, owner: str, now: datetime, wish: Wish
    ) -> dict[str, Any]:
        ceremony = self._factors[method].begin_enrolment(user, now, wish)
        begun = {
            "public": dict(ceremony.public),
            "secret": dict(ceremony.secret),
            "until": (now + self._lifetime).isoformat(),
        }
        if ceremony.secret:
            # Sealed whole: what the page shows of an app is its seed.
            sealed = kept.sealed(self._box, begun)
            kept.keep(PURPOSE, owner, sealed, now=now, lifetime=self._lifetime)
        return begun

    def _begun(self, owner: str, now: datetime) -> dict[str, Any] | None:
        return kept.opened(self._box, kept.find(PURPOSE, owner, now))

    def forget(self, method: str, *, session_id: str, now: datetime) -> None:
        """Let the next view begin anew: what a ceremony was begun for has changed. No commit."""
        supersede(PURPOSE, _owner(session_id, method, ANY_WAY), now=now)

    def finish(
        self, user: User, method: str, answer: Answer, *, live: Live, context: Context
    ) -> Made | Refused:
        """Judge the answer; what was set up counts from here on, and the person is told. Commits.

        The making was a proof too: it joins the session's ledger, marked as an enrolment. Of a
        session that was ended meanwhile nothing remains.
        """
        outcome = self.enrol(user, method, answer, session_id=live.id, context=context)
        if isinstance(outcome, Made) and not goes_on(live.id):
            db.session.rollback()
            return _OVER
        if isinstance(outcome, Made):
            outcome = self.count(
                outcome, session_id=live.id, transaction_id=new_id(), at=context.at
            )
        db.session.commit()
        return outcome

    def enrol(
        self,
        user: User,
        method: str,
        answer: Answer,
        *,
        session_id: str,
        context: Context,
        wish: Wish = ANY_WAY,
    ) -> Made | Refused:
        """The same in the caller's transaction, without the ledger; a refusal is to be committed.

        A factor that takes long commits what the transaction holds before it begins.
        """
        if method in self._holdings.last_resorts and not self._may_have_last_resort(user):
            return NO_SECOND_STEP
        owner = _owner(session_id, method, wish)
        begun = self._begun(owner, context.at)
        before = {one.id for one in credentials_of(user) if one.kind == method}
        secret = begun["secret"] if begun else {}
        outcome = self._factors[method].finish_enrolment(user, secret, answer, context.at)
        if isinstance(outcome, Refused):
            return self._refused(user, method, owner, outcome, context)
        if begun is not None and not kept.claim(PURPOSE, owner, context.at):
            db.session.rollback()
            return self._refused(user, method, owner, _NOT_PENDING, context)
        return self._made(user, method, outcome, before, session_id, context)

    def _may_have_last_resort(self, user: User) -> bool:
        return self._holdings.has_second_step(user, credentials_of(user))

    def _refused(
        self, user: User, method: str, owner: str, refused: Refused, context: Context
    ) -> Refused:
        if refused.was_tried:
            audit.record(
                f"{method}.refused",
                context,
                user_id=user.id,
                reference=refused.reference,
                reason=refused.reason,
            )
        if refused.spent:
            kept.claim(PURPOSE, owner, context.at)
        return refused

    def _made(
        self,
        user: User,
        method: str,
        enrolled: Enrolled,
        before: set[str],
        session_id: str,
        context: Context,
    ) -> Made:
        now_held = {one.id for one in credentials_of(user) if one.kind == method}
        action = "replaced" if before - now_held else "added"
        self._tell(user, method, action, enrolled, session_id, context)
        open_links.end(user.id, context.at)
        if Trait.KNOWLEDGE in self._factors[method].can_prove:
            self.secret_changed(user, context.at)
        show = {method: enrolled.show_once} if enrolled.show_once else {}
        show |= self._first_second_step(user, session_id, context)
        for of, values in show.items():
            self._once.keep(session_id, of, values, context.at)
        return Made(method, action, enrolled, show)

    def _tell(
        self,
        user: User,
        method: str,
        action: str,
        enrolled: Enrolled,
        session_id: str,
        context: Context,
    ) -> None:
        label = enrolled.credential.label
        audit.record(
            f"{method}.{action}",
            context,
            user_id=user.id,
            session_id=session_id,
            credential_id=enrolled.credential.id,
            label=label,
            user_agent=context.user_agent,
        )
        self._notices.tell(user, sentence(method, action, label), context)

    def secret_changed(self, user: User, now: datetime) -> None:
        """Mailed links and counted guesses were about the old password. No commit."""
        magic_link.withdraw(user.id, now)
        self._throttle.reopen_password(user.id)

    def _first_second_step(
        self, user: User, session_id: str, context: Context
    ) -> dict[str, Mapping[str, Any]]:
        """With the first second step come the codes that stand in for it when it is lost."""
        credentials = credentials_of(user)
        held = {one.kind for one in credentials}
        if not self._holdings.has_second_step(user, credentials):
            return {}
        show = {}
        for method in self._holdings.last_resorts:
            if method not in held:
                made = self._factors[method].finish_enrolment(user, {}, {}, context.at)
                if isinstance(made, Enrolled):
                    self._tell(user, method, "added", made, session_id, context)
                    show[method] = made.show_once
        return show

    def count(self, made: Made, *, session_id: str, transaction_id: str, at: datetime) -> Made:
        """Append what the making proved to the session's ledger, with a new token; no commit."""
        proof = made.enrolled.proof
        if proof is None:
            return made
        self._sessions.add(
            session_id,
            proof,
            method=made.method,
            transaction_id=transaction_id,
            now=at,
            enrolled=True,
        )
        return replace(made, session_token=self._sessions.rotate(session_id, at))


def _owner(session_id: str, method: str, wish: Wish) -> str:
    """A ceremony begun with one wish is not the answer to another."""
    marks = ("+" if wish.prompted else "") + ("!" if wish.user_verification == "required" else "")
    return f"{session_id}:{method}{marks}"
