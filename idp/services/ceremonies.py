"""Asking: one factor's ceremony, begun, kept with the transaction, shown again."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from idp.assurance import Choice
from idp.audit import Context
from idp.factors.base import NOTHING, Ceremony, Factor, Task
from idp.models import Transaction, User, db
from idp.services import transactions
from idp.services.addresses import normalise_login
from idp.services.mail import Mailer
from idp.services.throttle import Throttle, Wait
from idp.services.weighing import Standing


class Ceremonies:
    """Begins what a factor asks, and finds what was begun."""

    def __init__(
        self,
        *,
        factors: Mapping[str, Factor],
        throttle: Throttle,
        mailer: Mailer,
        find_by_login: Callable[[str], User | None],
    ) -> None:
        self._factors = factors
        self._throttle = throttle
        self._mailer = mailer
        self._find_by_login = find_by_login

    def ask(
        self,
        standing: Standing,
        choice: Choice,
        task: Task,
        context: Context,
        *,
        anew: bool = False,
    ) -> Mapping[str, Any] | None:
        """Begin the factor's ceremony, or find the one begun; returns its public part.

        The same challenge stands for every view of the page until it is answered, so that a
        reload or a second tab does not make the first one worthless. None for a factor that only
        begins on request and has not been asked to.
        """
        factor = self._factors[choice.method]
        begun = self._ceremony(standing.transaction, choice, task, context.at)
        if begun is not None and not anew:
            return begun
        if factor.on_request and not anew:
            return None
        user = standing.user or self._named(task.login_name)
        ceremony = factor.begin(user, task, context.at)
        if ceremony == NOTHING:
            return ceremony.public
        self._keep(standing.transaction, choice, task, ceremony, context.at)
        if ceremony.mail is not None:
            self._mailer.queue(
                ceremony.mail,
                now=context.at,
                user_id=user.id if user else None,
                decoy=ceremony.mail.decoy,
            )
        db.session.commit()
        return ceremony.public

    def begun(self, tasks: Iterable[tuple[Choice, Task]], now: datetime) -> dict[str, Any]:
        """For a sign-in of nobody known that is about to be stored: what ``ask`` would begin.

        As its state keeps it, by method; of factors that begin on request, nothing.
        """
        found: dict[str, Any] = {}
        for choice, task in tasks:
            factor = self._factors[choice.method]
            ceremony = NOTHING if factor.on_request else factor.begin(None, task, now)
            if ceremony != NOTHING:
                found[choice.method] = _as_kept(task, ceremony, now)
        return found

    def adopt(self, transaction: Transaction, method: str, ceremony: Ceremony) -> None:
        """Put a ceremony that was begun elsewhere into a transaction; the caller commits."""
        begun = {"for": None, "public": dict(ceremony.public), "secret": dict(ceremony.secret)}
        transactions.advance(
            transaction, state={**transaction.state, "ceremonies": {method: begun}}
        )

    def _ceremony(
        self, transaction: Transaction, choice: Choice, task: Task, now: datetime
    ) -> Mapping[str, Any] | None:
        begun = transaction.state.get("ceremonies", {}).get(choice.method)
        if begun is None or begun["for"] != _asked_of(task):
            return None
        public: Mapping[str, Any] = begun["public"]
        return _by_now(public, begun.get("at"), now)

    def _keep(
        self,
        transaction: Transaction,
        choice: Choice,
        task: Task,
        ceremony: Ceremony,
        now: datetime,
    ) -> None:
        if not (ceremony.public or ceremony.secret):
            return
        begun = _as_kept(task, ceremony, now)
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

    def addressed(self, named: str | None, fields: Mapping[str, str]) -> tuple[str | None, bool]:
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

    def _named(self, login_name: str | None) -> User | None:
        return self._find_by_login(login_name) if login_name else None


def _by_now(public: Mapping[str, Any], begun: str | None, now: datetime) -> Mapping[str, Any]:
    """What is left of the seconds to wait, for who looks at the page again."""
    if "wait" not in public or begun is None:
        return public
    passed = int((now - datetime.fromisoformat(begun)).total_seconds())
    return {**public, "wait": max(0, public["wait"] - passed)}


def _as_kept(task: Task, ceremony: Ceremony, now: datetime) -> dict[str, Any]:
    kept = {
        "for": _asked_of(task),
        "public": dict(ceremony.public),
        "secret": dict(ceremony.secret),
    }
    return {**kept, "at": now.isoformat()} if "wait" in ceremony.public else kept


def _asked_of(task: Task) -> list[str | None]:
    return [task.login_name, task.user_verification, task.binding]
