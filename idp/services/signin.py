"""The sign-in itself: where a transaction stands, and what one more answer makes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from idp import audit
from idp.assurance import (
    Challenge,
    Choice,
    Decision,
    Demand,
    Evidence,
    Offer,
    Rung,
    Satisfied,
    account_floor,
    decide,
)
from idp.audit import Context
from idp.config import Settings
from idp.factors.base import Answer, Ceremony, Factor, Mail, Proof, Refused, Task
from idp.models import Credential, Transaction, User, db
from idp.services import sessions, transactions
from idp.services.addresses import normalise_login
from idp.services.sessions import Live, Sessions
from idp.services.throttle import Throttle, Wait
from idp.services.transactions import Overtaken


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a sign-in stands: who is pinned, what was proved, what is demanded, what follows."""

    transaction: Transaction
    user: User | None
    live: Live | None
    demand: Demand
    decision: Decision

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What may be answered with now, best first."""
        return self.decision.choices if isinstance(self.decision, Challenge) else ()

    def choice(self, method: str) -> Choice | None:
        """The choice of that method, where it leads on."""
        return next((one for one in self.choices if one.method == method), None)

    @property
    def is_step_up(self) -> bool:
        """Had this person signed in before this request came?"""
        return self.user is not None and self.live is not None and self.live.opened


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer, with what is known of the browser it came from."""

    method: str
    answer: Answer
    presented: Live | None
    """The session this browser's cookie presents, whoever's it is."""
    device_token: str | None
    """The browser's claim to have signed this person in before; only throttling listens."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The proof counts. ``session_token`` is the new cookie, where the session may be presented."""

    user: User
    session_id: str
    session_token: str | None
    persistent: bool


@dataclass(frozen=True, slots=True)
class Declined:
    """The answer was not accepted, or not now."""

    refused: Refused


Outcome = Accepted | Declined | Wait

_NOT_ASKED = Refused("not_asked", "That is not what is needed now.", counts=False)
_OTHER_PERSON = Refused("other_person", "That belongs to another account.")
_DISABLED = Refused("disabled", "Email or password is not correct.")


class SignIn:
    """Asks for what is missing and writes down what was proved."""

    def __init__(
        self,
        settings: Settings,
        *,
        factors: Mapping[str, Factor],
        sessions: Sessions,
        throttle: Throttle,
        find_by_login: Callable[[str], User | None],
        send: Callable[[Mail, Context], None],
    ) -> None:
        self._settings = settings
        self._factors = factors
        self._sessions = sessions
        self._throttle = throttle
        self._find_by_login = find_by_login
        self._send = send

    # --- where it stands -------------------------------------------------------------------

    def standing(
        self, transaction: Transaction, demand: Demand, *, presented: Live | None, context: Context
    ) -> Standing:
        """Weigh what was proved in this browser against ``demand`` and the account's own floor."""
        live = self._relied_on(transaction, presented, context)
        user_id = transaction.user_id or (live.user_id if live else None)
        if user_id is None:
            return Standing(transaction, None, None, demand, self._anonymous(demand))
        user = db.session.get_one(User, user_id)
        offers = self.offers(user)
        demand = demand.raised(floor=self.floor(offers))
        evidence = live.evidence if live else ()
        return Standing(transaction, user, live, demand, decide(demand, evidence, offers))

    def weigh(self, live: Live, demand: Demand) -> Decision:
        """The decision on a session alone, without a transaction: a silent sign-in, or a page.

        Where the evidence suffices even with a second step demanded, nothing more is read.
        """
        strict = demand
        if live.has_second_step and self._settings.account_second_step:
            strict = demand.raised(floor=Rung.SECOND_STEP)
        decision = decide(strict, live.evidence, ())
        if isinstance(decision, Satisfied):
            return decision
        offers = self.offers(db.session.get_one(User, live.user_id))
        return decide(demand.raised(floor=self.floor(offers)), live.evidence, offers)

    def _relied_on(
        self, transaction: Transaction, presented: Live | None, context: Context
    ) -> Live | None:
        """The session whose evidence counts here.

        An opened session counts only while this browser still presents it: one that was ended, or
        replaced by another person's in another tab, brings nothing into a resumed sign-in.
        """
        if transaction.session_id and (
            presented is None or presented.id != transaction.session_id
        ):
            pending = self._sessions.by_id(transaction.session_id, context.at)
            if pending is not None and not pending.opened:
                return pending
        if presented is None or transaction.state.get("other_person"):
            return None
        return presented if transaction.user_id in (None, presented.user_id) else None

    def _anonymous(self, demand: Demand) -> Decision:
        """What to ask somebody unknown: whatever opens a session, the ways that suffice first.

        What else she has is not known yet, so a way that falls short is a beginning, not an end.
        """
        offers = self.offers(None)
        best = decide(demand, (), offers)
        anything = decide(Demand(refused=demand.refused), (), offers)
        if not isinstance(anything, Challenge):
            return anything
        reaching = best.choices if isinstance(best, Challenge) else ()
        known = {choice.method for choice in reaching}
        rest = [choice for choice in anything.choices if choice.method not in known]
        ordered = (*self._in_house_order(reaching), *self._in_house_order(rest))
        reason = best.reason if isinstance(best, Challenge) else anything.reason
        return Challenge(ordered, reason)

    def _in_house_order(self, choices: Sequence[Choice]) -> list[Choice]:
        return sorted(choices, key=lambda choice: list(self._factors).index(choice.method))

    def offers(self, user: User | None) -> tuple[Offer, ...]:
        """What this person could prove next; with nobody known, what anybody might."""
        credentials = credentials_of(user)
        found = (factor.offer(user, credentials) for factor in self._factors.values())
        return tuple(offer for offer in found if offer is not None)

    def floor(self, offers: Sequence[Offer]) -> Rung:
        """The account's own floor, by policy."""
        return account_floor(offers) if self._settings.account_second_step else Rung.ONE_FACTOR

    def opens(self, user: User, evidence: Sequence[Evidence]) -> bool:
        """Is this enough for the session to be presented at all?"""
        floor = Demand(floor=self.floor(self.offers(user)))
        return isinstance(decide(floor, evidence, ()), Satisfied)

    # --- asking -----------------------------------------------------------------------------

    def ask(
        self, standing: Standing, choice: Choice, task: Task, context: Context, *, anew: bool = False
    ) -> Mapping[str, Any] | None:
        """Begin the factor's ceremony, or find the one begun; returns its public part.

        The same challenge stands for every view of the page until it is answered, so that a
        reload or a second tab does not make the first one worthless. None for a factor that only
        begins on request and has not been asked to.
        """
        factor = self._factors[choice.method]
        begun = self._ceremony(standing.transaction, choice, task)
        if begun is not None and not anew:
            return begun
        if factor.on_request and not anew:
            return None
        user = standing.user or self._named(task.login_name)
        ceremony = factor.begin(user, task, context.at)
        self._keep(standing.transaction, choice, task, ceremony)
        if ceremony.mail is not None:
            self._send(ceremony.mail, context)
        db.session.commit()
        return ceremony.public

    def _ceremony(
        self, transaction: Transaction, choice: Choice, task: Task
    ) -> Mapping[str, Any] | None:
        begun = transaction.state.get("ceremonies", {}).get(choice.method)
        if begun is None or begun["for"] != _asked_of(task):
            return None
        public: Mapping[str, Any] = begun["public"]
        return public

    def _keep(
        self, transaction: Transaction, choice: Choice, task: Task, ceremony: Ceremony
    ) -> None:
        if not (ceremony.public or ceremony.secret):
            return
        begun = {
            "for": _asked_of(task),
            "public": dict(ceremony.public),
            "secret": dict(ceremony.secret),
        }
        ceremonies = {**transaction.state.get("ceremonies", {}), choice.method: begun}
        transactions.advance(transaction, state={**transaction.state, "ceremonies": ceremonies})

    def request(
        self,
        standing: Standing,
        choice: Choice,
        task: Task,
        login_name: str,
        context: Context,
    ) -> Wait | None:
        """Begin a ceremony that does something outside (a mail); commits.

        ``login_name`` is what was typed with the wish, where nobody is known yet. Returns how
        long to wait, when that was asked for too often.
        """
        transaction = standing.transaction
        if standing.user is None and login_name:
            state = {**transaction.state, "login_name": login_name}
            transactions.advance(transaction, state=state)
            task = replace(task, login_name=login_name)
        user = standing.user or self._named(normalise_login(task.login_name or ""))
        reserved = self._throttle.reserve_mail(
            choice.method,
            user=user,
            login_name=normalise_login(task.login_name or ""),
            context=context,
        )
        if isinstance(reserved, Wait):
            db.session.commit()
            return reserved
        self.ask(standing, choice, task, context, anew=True)
        return None

    def addressed(
        self, named: str | None, fields: Mapping[str, str]
    ) -> tuple[str | None, bool]:
        """Which factor these fields are for, and whether they answer it or ask to begin.

        ``named`` is the factor of the address that they were sent to, where there is one. Fields
        of another factor win over a wish to begin, but not over one that only begins on request:
        its button stands in a form with other people's fields.
        """
        if named is not None:
            factor = self._factors[named]
            if factor.answer_fields & fields.keys():
                return named, True
            if factor.on_request:
                return named, False
        answering = (
            name for name, one in self._factors.items() if one.answer_fields & fields.keys()
        )
        found = next(answering, None)
        return (found, True) if found else (named, named is not None)

    # --- answering --------------------------------------------------------------------------

    def attempt(self, standing: Standing, attempt: Attempt, context: Context) -> Outcome:
        """Judge one answer and write down what it showed; commits, whatever comes of it.

        Raises ``Overtaken`` when another request advanced the sign-in meanwhile: then nothing of
        this one remains but its count as an attempt.
        """
        choice = standing.choice(attempt.method)
        if choice is None:
            return self._decline(standing, attempt, _NOT_ASKED, context)
        login_name = _login_name(standing.transaction, attempt.answer)
        user = standing.user or self._named(login_name)
        reserved = self._throttle.reserve(
            method=attempt.method,
            user=user,
            login_name=login_name,
            device_token=attempt.device_token,
            context=context,
        )
        db.session.commit()
        if isinstance(reserved, Wait):
            return reserved
        verdict = self._judge(standing, user, attempt, context)
        if isinstance(verdict, Refused):
            if not verdict.counts:
                self._throttle.give_back(reserved)
            return self._decline(standing, attempt, verdict, context, user)
        self._throttle.succeeded(reserved, context, user_id=verdict.user_id)
        return self._accept(standing, attempt, verdict, context)

    def _judge(
        self, standing: Standing, user: User | None, attempt: Attempt, context: Context
    ) -> Proof | Refused:
        begun = standing.transaction.state.get("ceremonies", {}).get(attempt.method, {})
        factor = self._factors[attempt.method]
        verdict = factor.verify(user, begun.get("secret", {}), attempt.answer, context.at)
        if isinstance(verdict, Refused):
            return verdict
        if standing.user is not None and verdict.user_id != standing.user.id:
            return _OTHER_PERSON
        owner = db.session.get(User, verdict.user_id)
        return verdict if owner is not None and owner.disabled_at is None else _DISABLED

    def _decline(
        self,
        standing: Standing,
        attempt: Attempt,
        refused: Refused,
        context: Context,
        user: User | None = None,
    ) -> Declined:
        transaction = standing.transaction
        audit.record(
            f"login.{attempt.method}.refused",
            context,
            user_id=user.id if user else transaction.user_id,
            client_id=transaction.client_id,
            transaction_id=transaction.id,
            reason=refused.reason,
        )
        ceremonies = dict(transaction.state.get("ceremonies", {}))
        if refused.spent and ceremonies.pop(attempt.method, None) is not None:
            transactions.advance(
                transaction, state={**transaction.state, "ceremonies": ceremonies}
            )
        db.session.commit()
        return Declined(refused)

    def _accept(
        self, standing: Standing, attempt: Attempt, proof: Proof, context: Context
    ) -> Accepted:
        transaction, presented = standing.transaction, attempt.presented
        user = db.session.get_one(User, proof.user_id)
        live = standing.live or _if_hers(presented, user)
        persistent = live.persistent if live else bool(attempt.answer.get("remember"))
        session_id = live.id if live else self._start(user, attempt, context)
        evidence = self._sessions.add(
            session_id,
            proof,
            method=attempt.method,
            transaction_id=transaction.id,
            now=context.at,
        )
        transactions.advance(
            transaction,
            user_id=user.id,
            session_id=session_id,
            state={key: transaction.state[key] for key in transaction.state if key in _KEPT},
        )
        self._record_accepted(transaction, attempt, proof, session_id, context)
        token = None
        if self.opens(user, (*(live.evidence if live else ()), evidence)):
            token = self._open(session_id, presented, context)
        db.session.commit()
        return Accepted(user, session_id, token, persistent)

    def _start(self, user: User, attempt: Attempt, context: Context) -> str:
        persistent = bool(attempt.answer.get("remember"))
        return self._sessions.start(user.id, persistent=persistent, context=context)

    def _open(self, session_id: str, presented: Live | None, context: Context) -> str:
        """Rotate the session's token; another session this browser presented is over with it."""
        if presented is not None and presented.id != session_id:
            sessions.end(
                presented.id, user_id=presented.user_id, context=context, reason="replaced"
            )
        return self._sessions.rotate(session_id, context.at)

    def _record_accepted(
        self,
        transaction: Transaction,
        attempt: Attempt,
        proof: Proof,
        session_id: str,
        context: Context,
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
            **dict(proof.signals),
        )

    def _named(self, login_name: str | None) -> User | None:
        return self._find_by_login(login_name) if login_name else None


def _login_name(transaction: Transaction, answer: Answer) -> str | None:
    typed = answer.get("username") or transaction.state.get("login_name") or ""
    return normalise_login(typed)


_KEPT = frozenset({"demand", "restarted", "prompted", "login_name"})
"""What the steps remember that outlives a step; every ceremony ends with the proof it led to."""


def _asked_of(task: Task) -> list[str | None]:
    return [task.login_name, task.user_verification, task.binding]


def _if_hers(presented: Live | None, user: User) -> Live | None:
    return presented if presented is not None and presented.user_id == user.id else None


def credentials_of(user: User | None) -> Sequence[Credential]:
    """All of a person's credentials; none for nobody."""
    if user is None:
        return ()
    return db.session.scalars(select(Credential).where(Credential.user_id == user.id)).all()


__all__ = ["Accepted", "Attempt", "Declined", "Outcome", "Overtaken", "SignIn", "Standing"]
