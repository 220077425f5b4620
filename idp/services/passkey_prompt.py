"""After a sign-in with a password, on a device that is one's own: would a passkey not be easier?

Asked once in a long while, never in the way of anything, and never while something is still to be
proved: by then the sign-in is complete, and only its answer waits.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from idp import audit
from idp.assurance import Satisfied, Trait, decide, enrolment_demand
from idp.audit import Context
from idp.factors.base import Answer, Factor, Refused, Wish
from idp.factors.passkey import Passkey
from idp.models import Transaction, User, db
from idp.services import transactions
from idp.services.enrolment import Enrolment, Made
from idp.services.holdings import Holdings, credentials_of
from idp.services.sessions import Live
from idp.services.weighing import Standing

METHOD: Final = Passkey.name
SNOOZE: Final = timedelta(days=90)
WISH: Final = Wish(prompted=True, conditional=True)

NOT_ASKED = Refused("not_asked", "That is not what is needed now.", counts=False)


class PasskeyPrompt:
    """The question between a complete sign-in and its answer.

    The transaction remembers, under ``prompted``, that it was asked, that it was answered, and
    what was made of it; the account remembers until when it shall not be asked again.
    """

    def __init__(
        self, *, factors: Mapping[str, Factor], enrolment: Enrolment, holdings: Holdings
    ) -> None:
        self._factor = factors.get(METHOD)
        self._enrolment = enrolment
        self._holdings = holdings

    def is_due(self, standing: Standing, context: Context) -> bool:
        """Is the question to be shown before this sign-in is answered?"""
        if not isinstance(standing.decision, Satisfied):
            return False
        prompted = standing.transaction.state.get("prompted")
        return not prompted["answered"] if prompted else self._is_apt(standing, context)

    def _is_apt(self, standing: Standing, context: Context) -> bool:
        user, live = standing.user, standing.live
        if user is None or live is None or self._factor is None:
            return False
        snoozed = user.passkey_prompt_after is not None and context.at < user.passkey_prompt_after
        if snoozed or not _is_new_sign_in(standing, live) or not self._holdings.uses(METHOD):
            return False
        credentials = credentials_of(user)
        if self._factor.offers(user, credentials):
            return False
        # Whatever she could prove has been proved in this very sign-in, or nothing is set up.
        offers = self._holdings.offers(user, credentials)
        demand = enrolment_demand(offers, within=standing.transaction.id)
        return isinstance(decide(demand, live.evidence, ()), Satisfied)

    def ask(self, standing: Standing, context: Context) -> Mapping[str, Any]:
        """Show the question, which counts as asked from now on; returns what it needs. Commits."""
        user, live, transaction = _whose(standing)
        if "prompted" not in transaction.state:
            db.session.get_one(User, user.id).passkey_prompt_after = context.at + SNOOZE
            audit.record(
                f"{METHOD}.proposed", context, user_id=user.id, transaction_id=transaction.id
            )
            _note(transaction, answered=False)
        return self._enrolment.begin(user, METHOD, session_id=live.id, context=context, wish=WISH)

    def later(self, transaction: Transaction) -> None:
        """ "Not now". That it was asked is remembered already. Commits."""
        if "prompted" in transaction.state:
            _note(transaction, answered=True)
        db.session.commit()

    def add(self, standing: Standing, answer: Answer, context: Context) -> Made | Refused:
        """Make the passkey: a proof in this sign-in, where the person took part in it. Commits.

        Only in answer to the question, which was not asked before the sign-in was complete.
        Raises ``Overtaken``.
        """
        if "prompted" not in standing.transaction.state or not self.is_due(standing, context):
            return NOT_ASKED
        user, live, transaction = _whose(standing)
        made = self._enrolment.enrol(
            user, METHOD, answer, session_id=live.id, context=context, wish=WISH
        )
        if isinstance(made, Made):
            made = self._enrolment.count(
                made, session_id=live.id, transaction_id=transaction.id, at=context.at
            )
            _note(transaction, answered=True, made=[made.enrolled.credential.id])
        db.session.commit()
        return made


def _is_new_sign_in(standing: Standing, live: Live) -> bool:
    """Begun here and now, with something typed, on a device that she keeps."""
    return (
        live.persistent
        and all(one.transaction_id == standing.transaction.id for one in live.evidence)
        and any(Trait.KNOWLEDGE in one.proves for one in live.evidence)
    )


def _whose(standing: Standing) -> tuple[User, Live, Transaction]:
    if standing.user is None or standing.live is None:
        raise ValueError("nobody is asked before she is known")
    return standing.user, standing.live, standing.transaction


def _note(transaction: Transaction, *, answered: bool, made: list[str] | None = None) -> None:
    prompted = {"answered": answered, "made": made or []}
    transactions.advance(transaction, state={**transaction.state, "prompted": prompted})
