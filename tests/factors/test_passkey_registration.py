"""Each thing a registration says, bent singly, beside the one that is let pass."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor, cose
from sqlalchemy import func, select

from idp.factors.base import Enrolled, Refused, Tools
from idp.factors.passkey import Passkey
from idp.models import Credential, User, db
from tests.factors.bent import (
    attested,
    authenticator_data,
    data,
    flip,
    identified_by,
    inner,
    outer,
    recoded,
)
from tests.factors.passkeys import ORIGIN, answer, authenticator, enrol, enrolled, stored, used
from tests.factors.verdicts import reason
from tests.helpers import base64url
from tests.helpers.authenticator import AlreadyRegistered, Tampering
from tests.helpers.clock import NOON
from tests.helpers.passkey import Algorithm

_BE = 0x08
_BS = 0x10
_AT = 0x40


@pytest.fixture
def factor(tools: Tools) -> Passkey:
    return Passkey(tools)


def flags(change: Callable[[int], int]) -> dict[str, Any]:
    return authenticator_data(lambda value: value[:32] + bytes([change(value[32])]) + value[33:])


def statement(**changes: Any) -> dict[str, Any]:
    """An attestation object in which some members are others."""
    return recoded("attestationObject", lambda raw: cbor.encode({**_decoded(raw), **changes}))


def _decoded(raw: bytes) -> dict[str, Any]:
    decoded = cbor.decode(raw)
    assert isinstance(decoded, dict)
    return decoded


def _rsa(modulus: int, exponent: int = 65537) -> dict[int, Any]:
    size = (modulus.bit_length() + 7) // 8
    number = modulus.to_bytes(size)
    return {1: 3, 3: -257, -1: number, -2: exponent.to_bytes((exponent.bit_length() + 7) // 8)}


P256 = cose.ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
P384 = cose.ES384.from_cryptography_key(ec.generate_private_key(ec.SECP384R1()).public_key())

BENT: dict[str, tuple[str, dict[str, Any]]] = {
    "type of the other ceremony": ("wrong_type", data(type="webauthn.get")),
    "no type": ("malformed", data(type=None)),
    "another challenge": ("wrong_challenge", data(challenge="AAAA")),
    "another origin": ("wrong_origin", {"origin": "https://id.example.net"}),
    "an origin that begins like ours": ("wrong_origin", {"origin": f"{ORIGIN}.evil.example"}),
    "in somebody's frame": ("cross_origin", {"cross_origin": True}),
    "a top origin": ("cross_origin", {"top_origin": ORIGIN}),
    "another relying party": ("wrong_rp_id", authenticator_data(flip(0))),
    "nobody present": ("not_present", {"up": False}),
    "backed up without being eligible": (
        "wrong_backup_flags",
        flags(lambda value: value & ~_BE | _BS),
    ),
    "no attested data": (
        "malformed",
        authenticator_data(lambda v: v[:32] + bytes([v[32] & ~_AT]) + v[33:37]),
    ),
    "attested data not announced": ("malformed", flags(lambda value: value & ~_AT)),
    "extensions announced and not there": ("malformed", flags(lambda value: value | 0x80)),
    "authenticator data cut at 36 bytes": ("malformed", authenticator_data(lambda v: v[:36])),
    "authenticator data cut in the AAGUID": ("malformed", authenticator_data(lambda v: v[:50])),
    "authenticator data cut in the key": ("malformed", authenticator_data(lambda v: v[:-1])),
    "authenticator data with a byte more": ("malformed", authenticator_data(lambda v: v + b"\0")),
    "another credential id inside": ("wrong_credential_id", attested(identifier=b"another")),
    "another credential id outside": (
        "wrong_credential_id",
        outer(id=base64url.encode(b"another"), rawId=base64url.encode(b"another")),
    ),
    "two ids outside": ("malformed", outer(id=base64url.encode(b"another"))),
    "another kind of credential": ("malformed", outer(type="password")),
    "an algorithm not asked for": ("wrong_algorithm", attested(key=dict(P384))),
    "an algorithm nobody has": ("wrong_algorithm", attested(key=dict(P256) | {3: -65534})),
    "the key of another algorithm": ("wrong_algorithm", attested(key=dict(P256) | {3: -257})),
    "the curve of another algorithm": ("wrong_algorithm", attested(key=dict(P384) | {3: -7})),
    "a key of 1024 bits": ("wrong_algorithm", attested(key=_rsa(2**1023 + 1))),
    "a key of 8192 bits": ("wrong_algorithm", attested(key=_rsa(2**8191 + 1))),
    "a key with a huge exponent": ("wrong_algorithm", attested(key=_rsa(2**2047 + 1, 2**64 + 1))),
    "a point that is not on the curve": (
        "malformed",
        attested(key=dict(P256) | {-3: bytes(32)}),
    ),
    "a compressed point": ("malformed", attested(key=dict(P256) | {-3: True})),
    "half a key": ("malformed", attested(key={1: 2, 3: -7})),
    "a key that is a number": ("malformed", attested(key=b"\x04")),
    "a key that is a list": ("malformed", attested(key=[1, 2])),
    "a format nobody knows": ("wrong_attestation", statement(fmt="handwritten")),
    "a format that is no text": ("wrong_attestation", statement(fmt=1)),
    "a statement where none is": ("wrong_attestation", statement(attStmt={"sig": b"sig"})),
    "a statement that is a number": ("malformed", statement(attStmt=1)),
    "an empty statement": ("wrong_attestation", statement(fmt="packed")),
    "a statement of wrong types": (
        "wrong_attestation",
        statement(fmt="packed", attStmt={"alg": -7, "sig": 1}),
    ),
    "a chain of wrong types": (
        "wrong_attestation",
        statement(fmt="packed", attStmt={"alg": -7, "sig": b"sig", "x5c": [1]}),
    ),
    "its own key's signature changed": (
        "wrong_attestation",
        {"attestation": "self", "tampering": Tampering(signature=flip(-1))},
    ),
    "attestation object not CBOR": ("malformed", inner(attestationObject="____")),
    "attestation object a list": (
        "malformed",
        inner(attestationObject=base64url.encode(cbor.encode([]))),
    ),
    "attestation object nested deep": (
        "malformed",
        inner(attestationObject=base64url.encode(b"\x81" * 9000)),
    ),
    "client data not JSON": ("malformed", inner(clientDataJSON=base64url.encode(b"{"))),
}


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
@pytest.mark.parametrize("attestation", ["none", "self"])
def test_the_honest_one_passes(
    factor: Passkey, alice: User, algorithm: Algorithm, attestation: Any
) -> None:
    soft = authenticator()
    passkey = enrolled(factor, alice, soft, algorithm=algorithm, attestation=attestation)
    assert used(factor, None, soft).credential_id == passkey.id


@pytest.mark.parametrize("name", BENT)
def test_refuses(factor: Passkey, alice: User, name: str) -> None:
    expected, knobs = BENT[name]
    assert reason(enrol(factor, alice, authenticator(), **knobs)) == expected
    assert _count() == 0


def test_user_verification_is_only_insisted_on_where_required(factor: Passkey, alice: User) -> None:
    required = {"user_verification": "required"}
    refusal = enrol(factor, alice, authenticator(), begin=required, uv=False)
    assert reason(refusal) == "not_verified"
    assert reason(enrol(factor, alice, authenticator(), begin=required)) == "accepted"
    assert reason(enrol(factor, alice, authenticator(), uv=False)) == "accepted"


def test_made_without_a_gesture_only_where_that_was_the_ceremony(
    factor: Passkey, alice: User
) -> None:
    conditional = {"conditional": True}
    made = enrol(factor, alice, authenticator(), begin=conditional, up=False, uv=False)
    assert isinstance(made, Enrolled)
    assert made.proof is None
    assert reason(enrol(factor, alice, authenticator(), up=False, uv=False)) == "not_present"


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, "wrong_credential_id"),
        (1, "accepted"),
        (1023, "accepted"),
        (1024, "wrong_credential_id"),
    ],
)
def test_a_credential_id_has_a_length(
    factor: Passkey, alice: User, length: int, expected: str
) -> None:
    verdict = enrol(factor, alice, authenticator(), tampering=identified_by(bytes(length)))
    assert reason(verdict) == expected


def test_a_credential_id_belongs_to_one_account(factor: Passkey, alice: User, bob: User) -> None:
    soft = authenticator()
    enrolled(factor, alice, soft)
    (held,) = soft.credentials.values()
    tampering = identified_by(held.id)
    hers = enrol(factor, alice, authenticator(), tampering=tampering)
    assert isinstance(hers, Refused)
    assert (hers.reason, hers.counts) == ("already_yours", False)
    assert hers.message == "This device already has your passkey. You are all set."
    his = enrol(factor, bob, authenticator(), tampering=tampering)
    assert isinstance(his, Refused)
    assert (his.reason, his.counts) == ("already_registered", False)
    assert his.message == "No passkey was added. Nothing changed."
    assert _count() == 1


def test_an_authenticator_is_told_what_it_has(factor: Passkey, alice: User) -> None:
    soft = authenticator()
    enrolled(factor, alice, soft)
    with pytest.raises(AlreadyRegistered):
        enrol(factor, alice, soft)


def test_a_challenge_serves_once(factor: Passkey, alice: User) -> None:
    ceremony = factor.begin_enrolment(alice, NOON)
    options = ceremony.public["options"]
    one, other = (authenticator().make_credential(options) for _ in range(2))
    first = factor.finish_enrolment(alice, stored(ceremony), answer(one), NOON)
    second = factor.finish_enrolment(alice, stored(ceremony), answer(other), NOON)
    assert [reason(first), reason(second)] == ["accepted", "replayed"]
    assert _count() == 1


def test_a_challenge_lives_as_long_as_a_sign_in(factor: Passkey, alice: User, tools: Tools) -> None:
    ceremony = factor.begin_enrolment(alice, NOON)
    response = authenticator().make_credential(ceremony.public["options"])
    late = NOON + tools.settings.transaction_lifetime
    verdict = factor.finish_enrolment(alice, stored(ceremony), answer(response), late)
    assert reason(verdict) == "expired"
    early = late - timedelta(microseconds=1)
    verdict = factor.finish_enrolment(alice, stored(ceremony), answer(response), early)
    assert reason(verdict) == "accepted"


def test_a_ceremony_is_one_persons(factor: Passkey, alice: User, bob: User) -> None:
    ceremony = factor.begin_enrolment(alice, NOON)
    response = authenticator().make_credential(ceremony.public["options"])
    verdict = factor.finish_enrolment(bob, stored(ceremony), answer(response), NOON)
    assert reason(verdict) == "not_pending"


@pytest.mark.parametrize("secret", [{}, {"ceremonial": "create"}], ids=["nothing", "half"])
def test_nothing_without_a_ceremony(factor: Passkey, alice: User, secret: dict[str, Any]) -> None:
    response = authenticator().make_credential(
        factor.begin_enrolment(alice, NOON).public["options"]
    )
    verdict = factor.finish_enrolment(alice, secret, answer(response), NOON)
    assert reason(verdict) == "not_pending"


def _count() -> int:
    return db.session.scalar(select(func.count()).select_from(Credential)) or 0
