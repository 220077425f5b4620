"""Passkey ceremonies whole: a software authenticator on one side, the factor on the other."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from idp.factors.base import Ceremony, Enrolled, Proof, Refused, Task, Wish
from idp.factors.passkey import Passkey
from idp.models import Credential, User, db
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.clock import NOON

ORIGIN = "https://id.example.org"
TASK = Task(transaction_id="transaction")


def authenticator(**options: Any) -> SoftAuthenticator:
    """One whose browser is on our own page."""
    return SoftAuthenticator(ORIGIN, **options)


def answer(response: object) -> dict[str, str]:
    """As the form field carries it."""
    return {"passkey_response": json.dumps(response)}


def enrol(
    factor: Passkey,
    user: User,
    soft: SoftAuthenticator,
    *,
    now: datetime = NOON,
    begin: Mapping[str, Any] | None = None,
    **knobs: Any,
) -> Enrolled | Refused:
    """Make a passkey with ``soft``, ``knobs`` being ``make_credential``'s; commits."""
    ceremony = factor.begin_enrolment(user, now, Wish(**(begin or {})))
    response = soft.make_credential(ceremony.public["options"], **knobs)
    verdict = factor.finish_enrolment(user, stored(ceremony), answer(response), now)
    db.session.commit()
    return verdict


def enrolled(factor: Passkey, user: User, soft: SoftAuthenticator, **knobs: Any) -> Credential:
    """The credential of a passkey that must be accepted."""
    verdict = enrol(factor, user, soft, **knobs)
    assert isinstance(verdict, Enrolled), verdict
    return verdict.credential


def use(
    factor: Passkey,
    user: User | None,
    soft: SoftAuthenticator,
    *,
    task: Task = TASK,
    now: datetime = NOON,
    **knobs: Any,
) -> Proof | Refused:
    """Sign in with ``soft``, ``knobs`` being ``get_assertion``'s; commits."""
    ceremony = factor.begin(user, task, now)
    response = soft.get_assertion(ceremony.public["options"], **knobs)
    return judge(factor, user, ceremony, response, now=now)


def used(factor: Passkey, user: User | None, soft: SoftAuthenticator, **knobs: Any) -> Proof:
    """The proof of a sign-in that must be accepted."""
    verdict = use(factor, user, soft, **knobs)
    assert isinstance(verdict, Proof), verdict
    return verdict


def judge(
    factor: Passkey,
    user: User | None,
    ceremony: Ceremony,
    response: object,
    *,
    now: datetime = NOON,
) -> Proof | Refused:
    """What comes of ``response``; commits."""
    verdict = factor.verify(user, stored(ceremony), answer(response), now)
    db.session.commit()
    return verdict


def stored(ceremony: Ceremony) -> dict[str, Any]:
    """The secret part as the transaction gives it back: through JSON."""
    secret: dict[str, Any] = json.loads(json.dumps(ceremony.secret))
    return secret
