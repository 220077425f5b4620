"""Answering: one more proof, judged and written down."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from idp import audit
from idp.assurance import Evidence, Trait
from idp.audit import Context
from idp.capacity import Busy
from idp.factors.base import Answer, Corroborable, Factor, Laborious, Proof, Refused
from idp.models import Transaction, User, db
from idp.secrecy import new_secret_at
from idp.services import persons, repeated, transactions
from idp.services.addresses import normalise_login
from idp.services.attempts import Accepted, Attempt, Declined, Outcome
from idp.services.live import shown_by
from idp.services.notices import Notices
from idp.services.sessions import Live, Sessions
from idp.services.sign_in_told import told_of
from idp.services.signing_out import sign_out
from idp.services.throttle import Throttle, Wait
from idp.services.weighing import Known, Standing, Weighing

_NOT_ASKED = Refused("not_asked", "That is not what is needed now.", counts=False)
_OTHER_PERSON = Refused("other_person", "That belongs to another account.")
_DISABLED = Refused(
    "disabled",
    "This can no longer be used to sign in here. Use another way, or ask your administrator.",
    alone="This can no longer be used to sign in here. Ask your administrator.",
)


class SignIn:
    """Judges answers and writes down what they proved."""

    def __init__(
        self,
        *,
        factors: Mapping[str, Factor],
        sessions: Sessions,
        throttle: Throttle,
        weighing: Weighing,
        notices: Notices,
        known_as: Callable[[str], User | None],
    ) -> None:
        self._factors = factors
        self._laborious = {name: one for name, one in factors.items() if isinstance(one, Laborious)}
        self._sessions = sessions
        self._throttle = throttle
        self._weighing = weighing
        self._notices = notices
        self._known_as = known_as

    def attempt(self, standing: Standing, attempt: Attempt, context: Context) -> Outcome:
        """Judge one answer and write down what it showed. Commits, unless it was accepted: what
        that leads to may come to be together with it, and whoever commits that has to
        ``transactions.settle`` the step.

        That raises ``Overtaken`` when another request advanced the sign-in meanwhile: then nothing
        of this one remains but its count as an attempt. Raises ``Busy``, of which nothing remains.
        """
        choice = standing.choice(attempt.method)
        if choice is None:
            return self._decline(standing, attempt, _NOT_ASKED, context)
        self._insist_on_room(attempt.method)
        login_name = _login_name(standing.transaction, attempt.answer)
        user = standing.user or (self._known_as(login_name) if login_name else None)
        reserved = self._throttle.reserve(
            method=attempt.method,
            user=user,
            login_name=login_name,
            device_token=attempt.device_token,
            context=context,
        )
        if isinstance(reserved, Wait):
            db.session.commit()
            return reserved
        if persons.is_another(standing.user, attempt.answer.get("username")):
            return self._decline(standing, attempt, _OTHER_PERSON, context, standing.user)
        if user is not None:
            attempt.foresee(user.id)
        try:
            verdict = self._judge(standing, user, attempt, context)
        except Busy:
            self._throttle.give_back(reserved)
            db.session.commit()
            raise
        if isinstance(verdict, Proof):
            if user is None or user.id != verdict.user_id:
                user = persons.by_id(verdict.user_id)
            verdict = _objection(standing, user) or verdict
        if isinstance(verdict, Refused) or user is None:
            refused = verdict if isinstance(verdict, Refused) else _DISABLED
            if not refused.counts:
                self._throttle.give_back(reserved)
            return self._decline(standing, attempt, refused, context, user)
        self._throttle.succeeded(reserved, user_id=verdict.user_id)
        return self._accept(standing, attempt, verdict, user, context)

    def vouched(
        self,
        standing: Standing,
        method: str,
        proof: Proof,
        *,
        presented: Live | None,
        context: Context,
    ) -> Accepted | Refused:
        """Write down a proof that is no answer to a question of ours; commits when it counts."""
        user = persons.by_id(proof.user_id)
        if refused := _objection(standing, user):
            return refused
        attempt = Attempt(method, {}, presented=presented, device_token=None)
        accepted = self._accept(standing, attempt, proof, persons.the(proof.user_id), context)
        transactions.settle(standing.transaction)
        db.session.commit()
        return accepted

    def _insist_on_room(self, method: str) -> None:
        """In a flood of sign-ins, turn away before anything is counted or looked up."""
        factor = self._laborious.get(method)
        if factor is not None and factor.crowded:
            raise Busy(method)

    def _judge(
        self, standing: Standing, user: User | None, attempt: Attempt, context: Context
    ) -> Proof | Refused:
        begun = standing.transaction.state.get("ceremonies", {}).get(attempt.method, {})
        factor = self._factors[attempt.method]
        return factor.verify(user, begun.get("secret", {}), attempt.answer, context.at)

    def _decline(
        self,
        standing: Standing,
        attempt: Attempt,
        refused: Refused,
        context: Context,
        user: User | None = None,
    ) -> Declined:
        transaction = standing.transaction
        named = user is not None or _login_name(transaction, attempt.answer)
        alike = (refused.reason, transaction.user_id or "")
        # What is counted against nobody can be caused as often as anybody likes.
        record = audit.record if refused.counts and named else partial(repeated.record, alike=alike)
        if refused.was_tried:
            record(
                f"login.{attempt.method}.refused",
                context,
                user_id=user.id if user else transaction.user_id,
                client_id=transaction.client_id,
                transaction_id=transaction.id,
                reference=refused.reference,
                reason=refused.reason,
            )
        db.session.commit()
        if refused.spent:
            self._drop_ceremony(transaction, attempt.method)
        return Declined(refused)

    def _drop_ceremony(self, transaction: Transaction, method: str) -> None:
        """The next try has a challenge of its own. Whoever advanced meanwhile has seen to that."""
        ceremonies = dict(transaction.state.get("ceremonies", {}))
        if ceremonies.pop(method, None) is None:
            return
        try:
            transactions.advance(transaction, state={**transaction.state, "ceremonies": ceremonies})
        except transactions.Overtaken:
            db.session.rollback()
        else:
            db.session.commit()

    def _accept(
        self, standing: Standing, attempt: Attempt, proof: Proof, user: User, context: Context
    ) -> Accepted:
        transaction, presented = standing.transaction, attempt.presented
        live = standing.live or _if_hers(presented, user)
        evidence = shown_by(
            proof,
            method=attempt.method,
            transaction_id=transaction.id,
            now=transactions.time_in(transaction, context.at),
        )
        ledger = (*(live.evidence if live else ()), evidence)
        shown = traits(one for one in ledger if one.transaction_id == transaction.id)
        kept = {key: transaction.state[key] for key in transaction.state if key in _KEPT}
        if waiting := self._corroborate(transaction, attempt, proof, shown):
            kept["awaiting"] = waiting
        known = self._weighing.known(user, proof.held)
        opens = self._weighing.opens(known, ledger)
        accepted = self._in_session(known, evidence, live, attempt, context, opens=opens)
        session_id = accepted.session_id
        transactions.take_step(transaction, user_id=user.id, session_id=session_id, state=kept)
        told = {**proof.signals, **told_of(live, ledger, opens=opens)}
        self._record_accepted(transaction, attempt, proof, session_id, context, told)
        if proof.notice:
            self._notices.tell(user, proof.notice, context)
        if opens and presented is not None and presented.id != session_id:
            # Another session that this browser presented is over with it.
            sign_out(presented.id, user_id=presented.user_id, context=context, reason="replaced")
        return accepted

    def _in_session(
        self,
        known: Known,
        evidence: Evidence,
        live: Live | None,
        attempt: Attempt,
        context: Context,
        *,
        opens: bool,
    ) -> Accepted:
        """Write it into the session there is, or into a new one, with a token where it ``opens``:
        a new one at every proof that is added."""
        if live is not None:
            self._sessions.note(live.id, evidence)
            rotated = self._sessions.rotate(live.id, context.at) if opens else None
            return Accepted(known, live.id, rotated, live.persistent)
        user, persistent = known.user, bool(attempt.answer.get("remember"))
        token = new_secret_at(context.at) if opens else None
        session_id = self._sessions.start(
            user.id, persistent=persistent, context=context, token=token, first=evidence
        )
        if token is None:
            return Accepted(known, session_id, None, persistent)
        begun = self._sessions.begun(
            session_id, user, known.held, evidence, persistent=persistent, now=context.at
        )
        return Accepted(known, session_id, token, persistent, begun)

    def _corroborate(
        self, transaction: Transaction, attempt: Attempt, proof: Proof, known: frozenset[Trait]
    ) -> dict[str, str] | None:
        """Believe a trait shown for the first time, once something known stands beside it.

        In whichever order the two came: returns what still waits for the other.
        """
        waiting: dict[str, str] | None = transaction.state.get("awaiting")
        if proof.credential_id and proof.signals.get("awaits_corroboration"):
            waiting = {"method": attempt.method, "credential_id": proof.credential_id}
        if waiting is None or Trait.KNOWLEDGE not in known:
            return waiting
        factor = self._factors[waiting["method"]]
        if isinstance(factor, Corroborable):
            factor.corroborated(waiting["credential_id"])
        return None

    def _record_accepted(
        self,
        transaction: Transaction,
        attempt: Attempt,
        proof: Proof,
        session_id: str,
        context: Context,
        told: Mapping[str, Any],
    ) -> None:
        audit.record(
            f"login.{attempt.method}.accepted",
            context,
            user_id=proof.user_id,
            client_id=transaction.client_id,
            session_id=session_id,
            transaction_id=transaction.id,
            credential_id=proof.credential_id,
            amr=list(proof.amr),
            **told,
        )


def _objection(standing: Standing, owner: User | None) -> Refused | None:
    """Why a proof does not count here though it is right: whose it is, or that she is shut out."""
    if owner is None or owner.disabled_at is not None:
        return _DISABLED
    pinned = standing.user.id if standing.user else None
    expected = {pinned, transactions.subject_of(standing.transaction)} - {None}
    return None if expected <= {owner.id} else _OTHER_PERSON


def _login_name(transaction: Transaction, answer: Answer) -> str | None:
    typed = answer.get("username") or transaction.state.get("login_name") or ""
    return normalise_login(typed)


_KEPT = frozenset(
    {"demand", "restarted", "prompted", "login_name", transactions.SUBJECT, transactions.AGAIN}
)
"""What the steps remember that outlives a step; every ceremony ends with the proof it led to."""


def traits(evidence: Iterable[Evidence]) -> frozenset[Trait]:
    """Everything that these proofs show."""
    return frozenset(trait for one in evidence for trait in one.proves)


def _if_hers(presented: Live | None, user: User) -> Live | None:
    return presented if presented is not None and presented.user_id == user.id else None


__all__ = ["Accepted", "Attempt", "Declined", "Outcome", "SignIn", "traits"]
