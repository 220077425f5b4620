"""What two processes may not both have, on both databases."""

import json
from typing import Any

from idp.factors.base import Enrolled, Proof, Tools
from idp.factors.passkey import Passkey
from idp.models import User, db
from tests.factors.bent import identified_by
from tests.factors.passkeys import TASK, answer, authenticator, enrolled, stored
from tests.factors.race import Racetrack
from tests.factors.storage import KEY, add_person
from tests.helpers.clock import NOON

ROUNDS = 20


def sign_in(tools: Tools, argument: Any) -> bool:
    """One answer to one challenge."""
    secret, response = argument
    verdict = Passkey(tools).verify(None, secret, answer(response), NOON)
    return isinstance(verdict, Proof)


def move_counter(tools: Tools, argument: Any) -> bool:
    """Accepted in any case: did the counter grow with it?"""
    secret, response = argument
    verdict = Passkey(tools).verify(None, secret, answer(response), NOON)
    assert isinstance(verdict, Proof)
    return "sign_count_regressed" not in verdict.signals


def register(tools: Tools, argument: Any) -> bool:
    """One credential id for whoever asks."""
    user_id, secret, response = argument
    user = db.session.get_one(User, user_id)
    verdict = Passkey(tools).finish_enrolment(user, secret, answer(response), NOON)
    return isinstance(verdict, Enrolled)


def test_a_challenge_serves_one_process(tools: Tools, raced_url: str, track: Racetrack) -> None:
    factor, soft = Passkey(tools), authenticator()
    enrolled(factor, add_person("alice@example.com"), soft)
    rounds = [_answered(factor, soft) for _ in range(ROUNDS)]
    db.session.remove()
    assert track.run(sign_in, rounds, url=raced_url, key=KEY) == [1] * ROUNDS


def test_a_count_is_taken_once(tools: Tools, raced_url: str, track: Racetrack) -> None:
    factor, soft = Passkey(tools), authenticator()
    enrolled(factor, add_person("alice@example.com"), soft)
    lanes = [[_answered(factor, soft, counter=n) for n in range(1, ROUNDS + 1)] for _ in range(2)]
    db.session.remove()
    assert track.run(move_counter, *lanes, url=raced_url, key=KEY) == [1] * ROUNDS


def test_a_credential_id_goes_to_one_person(tools: Tools, raced_url: str, track: Racetrack) -> None:
    factor = Passkey(tools)
    identifiers = [f"credential {number}".encode() for number in range(ROUNDS)]
    lanes = [
        [_registered(factor, user, identifier) for identifier in identifiers]
        for user in map(add_person, ("alice@example.com", "bob@example.com"))
    ]
    db.session.remove()
    assert track.run(register, *lanes, url=raced_url, key=KEY) == [1] * ROUNDS


def _answered(factor: Passkey, soft: Any, **knobs: Any) -> tuple[dict[str, Any], Any]:
    ceremony = factor.begin(None, TASK, NOON)
    return stored(ceremony), soft.get_assertion(ceremony.public["options"], **knobs)


def _registered(factor: Passkey, user: User, identifier: bytes) -> tuple[str, dict[str, Any], Any]:
    ceremony = factor.begin_enrolment(user, NOON)
    tampering = identified_by(identifier)
    response = authenticator().make_credential(ceremony.public["options"], tampering=tampering)
    return user.id, stored(ceremony), json.loads(json.dumps(response))
