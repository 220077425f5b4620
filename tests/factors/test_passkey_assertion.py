"""Each thing an assertion says, bent singly, beside the one that is let pass."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from idp.factors.base import Proof, Task, Tools
from idp.factors.passkey import Passkey
from idp.models import Credential, User, db
from tests.factors.bent import authenticator_data, data, flip, inner, outer, recoded
from tests.factors.passkeys import (
    ORIGIN,
    TASK,
    answer,
    authenticator,
    enrolled,
    judge,
    stored,
    use,
    used,
)
from tests.factors.verdicts import reason
from tests.helpers import base64url
from tests.helpers.authenticator import SoftAuthenticator, Tampering
from tests.helpers.clock import NOON
from tests.helpers.passkey import Algorithm, generate_key

SUBDOMAIN = "https://shop.id.example.org"
BE = 0x08
BS = 0x10


@pytest.fixture
def factor(tools: Tools) -> Passkey:
    return Passkey(tools)


@dataclass(frozen=True)
class Scene:
    """Alice with a passkey, and what is asked of it."""

    factor: Passkey
    alice: User
    bob: User
    soft: SoftAuthenticator
    passkey: Credential


@pytest.fixture
def scene(factor: Passkey, alice: User, bob: User) -> Scene:
    soft = authenticator()
    return Scene(factor, alice, bob, soft, enrolled(factor, alice, soft))


BENT: dict[str, tuple[str, dict[str, Any]]] = {
    "type of the other ceremony": ("wrong_type", data(type="webauthn.create")),
    "type unheard of": ("wrong_type", data(type="webauthn.Get")),
    "type not a text": ("wrong_type", data(type=["webauthn.get"])),
    "no type": ("malformed", data(type=None)),
    "another challenge": ("wrong_challenge", data(challenge="AAAA")),
    "an empty challenge": ("wrong_challenge", data(challenge="")),
    "no challenge": ("malformed", data(challenge=None)),
    "another origin": ("wrong_origin", {"origin": "https://id.example.net"}),
    "a subdomain as origin": ("wrong_origin", {"origin": SUBDOMAIN}),
    "another port": ("wrong_origin", {"origin": f"{ORIGIN}:8443"}),
    "http for https": ("wrong_origin", {"origin": "http://id.example.org"}),
    "an origin that begins like ours": ("wrong_origin", {"origin": f"{ORIGIN}.evil.example"}),
    "an origin with a slash": ("wrong_origin", {"origin": f"{ORIGIN}/"}),
    "a list of origins": ("wrong_origin", data(origin=[ORIGIN])),
    "no origin": ("malformed", data(origin=None)),
    "in somebody's frame": ("cross_origin", {"cross_origin": True}),
    "in somebody's frame, said otherwise": ("cross_origin", data(crossOrigin="false")),
    "crossOrigin zero": ("cross_origin", data(crossOrigin=0)),
    "in a frame of ours": ("cross_origin", {"cross_origin": True, "top_origin": ORIGIN}),
    "a top origin alone": ("cross_origin", {"top_origin": "https://evil.example"}),
    "our own top origin alone": ("cross_origin", {"top_origin": ORIGIN}),
    "an empty top origin": ("cross_origin", {"top_origin": ""}),
    "another relying party": ("wrong_rp_id", authenticator_data(flip(0))),
    "nobody present": ("not_present", {"up": False}),
    "backed up without being eligible": (
        "wrong_backup_flags",
        authenticator_data(lambda value: value[:32] + bytes([value[32] & ~BE | BS]) + value[33:]),
    ),
    "no longer eligible for backup": (
        "backup_eligibility_changed",
        {"be": False, "bs": False},
    ),
    "a handle of nobody": ("wrong_user_handle", {"user_handle": b"nobody"}),
    "an empty handle": ("wrong_user_handle", {"user_handle": b""}),
    "signature changed": ("wrong_signature", {"tampering": Tampering(signature=flip(-1))}),
    "signature cut": ("wrong_signature", {"tampering": Tampering(signature=lambda v: v[:-1])}),
    "no signature": ("wrong_signature", {"tampering": Tampering(signature=lambda _: b"")}),
    "signature not base64": ("malformed", inner(signature="A")),
    "signature missing": ("malformed", inner(signature=None)),
    "counter changed after signing": (
        "wrong_signature",
        recoded("authenticatorData", lambda value: value[:-1] + b"\x01"),
    ),
    "authenticator data cut to 36 bytes": ("malformed", authenticator_data(lambda v: v[:36])),
    "authenticator data cut to nothing": ("malformed", authenticator_data(lambda _: b"")),
    "authenticator data with a byte more": ("malformed", authenticator_data(lambda v: v + b"\0")),
    "attested data announced and not there": (
        "malformed",
        authenticator_data(lambda v: v[:32] + bytes([v[32] | 0x40]) + v[33:]),
    ),
    "extensions announced and not there": (
        "malformed",
        authenticator_data(lambda v: v[:32] + bytes([v[32] | 0x80]) + v[33:]),
    ),
    "client data not base64": ("malformed", inner(clientDataJSON="?")),
    "client data not JSON": ("malformed", inner(clientDataJSON=base64url.encode(b"{"))),
    "client data a list": ("malformed", inner(clientDataJSON=base64url.encode(b"[]"))),
    "client data in UTF-16": (
        "malformed",
        recoded("clientDataJSON", lambda value: value.decode().encode("utf-16")),
    ),
    "client data nested deep": ("malformed", inner(clientDataJSON=base64url.encode(b"[" * 9000))),
    "an id nobody owns": (
        "unknown_credential",
        outer(id=base64url.encode(b"nobody"), rawId=base64url.encode(b"nobody")),
    ),
    "two ids": ("malformed", outer(id=base64url.encode(b"nobody"))),
    "another kind of credential": ("malformed", outer(type="password")),
    "attachment unheard of": ("malformed", outer(authenticatorAttachment="implanted")),
}


@pytest.mark.parametrize("identified", [True, False], ids=["identified", "discoverable"])
def test_the_honest_one_passes(scene: Scene, identified: bool) -> None:
    proof = used(scene.factor, scene.alice if identified else None, scene.soft)
    assert (proof.user_id, proof.credential_id) == (scene.alice.id, scene.passkey.id)


@pytest.mark.parametrize("identified", [True, False], ids=["identified", "discoverable"])
@pytest.mark.parametrize("name", BENT)
def test_refuses(scene: Scene, name: str, identified: bool) -> None:
    expected, knobs = BENT[name]
    verdict = use(scene.factor, scene.alice if identified else None, scene.soft, **knobs)
    assert reason(verdict) == expected
    assert scene.passkey.last_used_at is None


def test_a_key_that_stays_does_not_become_one_that_travels(scene: Scene) -> None:
    soft = authenticator()
    enrolled(scene.factor, scene.bob, soft, be=False, bs=False)
    assert isinstance(use(scene.factor, None, soft), Proof)
    assert reason(use(scene.factor, None, soft, be=True)) == "backup_eligibility_changed"
    assert reason(use(scene.factor, None, soft, bs=True)) == "wrong_backup_flags"


@pytest.mark.parametrize("value", ["required", "preferred", "discouraged"])
def test_user_verification_is_only_insisted_on_where_required(scene: Scene, value: Any) -> None:
    task = Task("transaction", user_verification=value)
    ceremony = scene.factor.begin(None, task, NOON)
    assert ceremony.public["options"]["userVerification"] == value
    assert reason(use(scene.factor, None, scene.soft, task=task)) == "accepted"
    unverified = use(scene.factor, None, scene.soft, task=task, uv=False)
    assert reason(unverified) == ("not_verified" if value == "required" else "accepted")


@pytest.mark.parametrize("value", ["required", "discouraged"])
def test_an_operation_takes_what_the_decision_asks_for(scene: Scene, value: Any) -> None:
    """A key that verifies nobody confirms as well, where a password stands beside it."""
    task = Task("transaction", user_verification=value, binding="digest")
    assert reason(use(scene.factor, scene.alice, scene.soft, task=task)) == "accepted"
    unverified = use(scene.factor, scene.alice, scene.soft, task=task, uv=False)
    assert reason(unverified) == ("not_verified" if value == "required" else "accepted")


def test_only_a_credential_that_was_asked_for(scene: Scene) -> None:
    other = authenticator()
    enrolled(scene.factor, scene.bob, other)
    (his,) = other.credentials.values()
    assert reason(use(scene.factor, scene.alice, scene.soft, credential=his)) == "not_allowed"
    assert reason(use(scene.factor, None, other)) == "accepted"


def test_only_the_person_it_was_begun_for(scene: Scene) -> None:
    ceremony = scene.factor.begin(scene.bob, TASK, NOON)
    options = ceremony.public["options"] | {"allowCredentials": []}
    response = scene.soft.get_assertion(options)
    secret = stored(ceremony) | {"allowed": None}
    verdict = scene.factor.verify(scene.bob, secret, answer(response), NOON)
    assert reason(verdict) == "wrong_owner"


def test_another_persons_handle(scene: Scene) -> None:
    handle = base64url.decode(scene.bob.webauthn_handle)
    for user in (scene.alice, None):
        verdict = use(scene.factor, user, scene.soft, user_handle=handle)
        assert reason(verdict) == "wrong_user_handle"


def test_the_handle_may_only_be_missing_where_she_was_known_before(scene: Scene) -> None:
    assert reason(use(scene.factor, scene.alice, scene.soft, user_handle=None)) == "accepted"
    assert reason(use(scene.factor, None, scene.soft, user_handle=None)) == "wrong_user_handle"


def test_a_name_typed_beside_a_passkey_that_names_its_owner_is_no_matter(scene: Scene) -> None:
    ceremony = scene.factor.begin(None, TASK, NOON)
    response = scene.soft.get_assertion(ceremony.public["options"])
    proof = judge(scene.factor, scene.bob, ceremony, response)
    assert isinstance(proof, Proof)
    assert proof.user_id == scene.alice.id


def test_a_challenge_serves_once(scene: Scene) -> None:
    ceremony = scene.factor.begin(None, TASK, NOON)
    response = scene.soft.get_assertion(ceremony.public["options"])
    assert reason(judge(scene.factor, None, ceremony, response)) == "accepted"
    assert reason(judge(scene.factor, None, ceremony, response)) == "replayed"
    another = scene.soft.get_assertion(ceremony.public["options"])
    assert reason(judge(scene.factor, None, ceremony, another)) == "replayed"


def test_a_failed_attempt_uses_the_challenge_up(scene: Scene) -> None:
    ceremony = scene.factor.begin(None, TASK, NOON)
    wrong = scene.soft.get_assertion(
        ceremony.public["options"], tampering=Tampering(signature=flip(-1))
    )
    right = scene.soft.get_assertion(ceremony.public["options"])
    assert reason(judge(scene.factor, None, ceremony, wrong)) == "wrong_signature"
    assert reason(judge(scene.factor, None, ceremony, right)) == "replayed"


def test_a_challenge_lives_as_long_as_a_sign_in(scene: Scene, tools: Tools) -> None:
    lifetime = tools.settings.transaction_lifetime
    ceremony = scene.factor.begin(None, TASK, NOON)
    response = scene.soft.get_assertion(ceremony.public["options"])
    late = judge(scene.factor, None, ceremony, response, now=NOON + lifetime)
    assert reason(late) == "expired"
    early = NOON + lifetime - timedelta(microseconds=1)
    assert reason(judge(scene.factor, None, ceremony, response, now=early)) == "accepted"


def test_only_the_server_makes_challenges(scene: Scene) -> None:
    ours = scene.factor.begin(None, TASK, NOON)
    theirs = scene.factor.begin(None, TASK, NOON)
    response = scene.soft.get_assertion(theirs.public["options"])
    assert reason(judge(scene.factor, None, ours, response)) == "wrong_challenge"


@pytest.mark.parametrize(
    "secret",
    [{}, {"ceremonial": "get"}, {"nonce": "AAAA", "unheard": "of"}],
    ids=["nothing begun", "half a ceremony", "something else"],
)
def test_nothing_without_a_ceremony(scene: Scene, secret: dict[str, Any]) -> None:
    response = scene.soft.get_assertion(scene.factor.begin(None, TASK, NOON).public["options"])
    verdict = scene.factor.verify(None, secret, answer(response), NOON)
    assert reason(verdict) == "not_pending"


def test_a_registrations_challenge_signs_nobody_in(scene: Scene) -> None:
    ceremony = scene.factor.begin_enrolment(scene.alice, NOON)
    options = {"challenge": ceremony.public["options"]["challenge"], "rpId": "id.example.org"}
    response = scene.soft.get_assertion(options)
    assert reason(judge(scene.factor, None, ceremony, response)) == "not_pending"


def test_a_deleted_passkey_is_unknown(scene: Scene) -> None:
    ceremony = scene.factor.begin(scene.alice, TASK, NOON)
    response = scene.soft.get_assertion(ceremony.public["options"])
    db.session.delete(scene.passkey)
    db.session.commit()
    assert reason(judge(scene.factor, scene.alice, ceremony, response)) == "unknown_credential"


@pytest.mark.parametrize(
    ("stored_count", "sent", "kept", "signalled"),
    [
        (0, 0, 0, False),
        (0, 1, 1, False),
        (5, 6, 6, False),
        (5, 2**32 - 1, 2**32 - 1, False),
        (5, 5, 5, True),
        (5, 4, 5, True),
        (5, 0, 5, True),
    ],
    ids=["none kept", "first", "next", "a leap", "the same", "back", "back to nothing"],
)
def test_a_counter_that_goes_back_is_a_signal_and_no_refusal(
    scene: Scene, stored_count: int, sent: int, kept: int, signalled: bool
) -> None:
    scene.passkey.counter = stored_count
    db.session.commit()
    proof = used(scene.factor, None, scene.soft, counter=sent)
    expected = {"stored": stored_count, "received": sent} if signalled else None
    assert proof.signals.get("sign_count_regressed") == expected
    db.session.refresh(scene.passkey)
    assert scene.passkey.counter == kept


def test_a_use_is_remembered(scene: Scene) -> None:
    later = NOON + timedelta(hours=1)
    used(scene.factor, None, scene.soft, now=later, bs=False)
    db.session.expire_all()
    assert scene.passkey.last_used_at == later
    assert scene.passkey.data["bs"] is False
    assert scene.passkey.data["uv"] is True


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_only_the_key_that_was_registered(scene: Scene, algorithm: Algorithm) -> None:
    (held,) = scene.soft.credentials.values()
    other = replace(held, key=generate_key(algorithm))
    assert reason(use(scene.factor, None, scene.soft, credential=other)) == "wrong_signature"
