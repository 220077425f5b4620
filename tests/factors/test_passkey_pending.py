"""What is kept of a ceremony is all of it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from idp.factors.passkey.pending import Pending
from tests.helpers.clock import NOON

SAID: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a person": {"user_id": "u"},
    "some passkeys": {"allowed": ("a", "b")},
    "no passkey": {"allowed": ()},
    "an operation": {"binding": "b"},
    "an operation of nothing": {"binding": ""},
    "no gesture": {"conditional": True},
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_what_is_read_back_is_what_was_kept(said: dict[str, Any]) -> None:
    pending = Pending.start(
        "get", now=NOON, lifetime=timedelta(minutes=5), user_verification="preferred", **said
    )
    found = Pending.load(json.loads(json.dumps(pending.dump())), "get")
    assert (found.challenge, found.user_id, found.conditional) == (
        pending.challenge,
        pending.user_id,
        pending.conditional,
    )
    assert (found.allowed is None) is (pending.allowed is None)
    assert tuple(found.allowed or ()) == (pending.allowed or ())
