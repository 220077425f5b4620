"""Attestation: only the administrator's roots vouch, and only for keys that stay where they are."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from idp.assurance import Trait
from idp.config import ConfigurationError, load_settings
from idp.factors.base import Enrolled, Tools
from idp.factors.passkey import AttestationPolicy, Passkey
from idp.models import User
from tests.factors.passkeys import authenticator, enrol, enrolled, use, used
from tests.factors.storage import make_tools
from tests.factors.verdicts import reason
from tests.helpers.attestation import AttestationRoot
from tests.helpers.authenticator import Tampering
from tests.helpers.clock import NOON

MODEL = bytes(range(16))
MODEL_ID = "00010203-0405-0607-0809-0a0b0c0d0e0f"
OTHER_ID = "2fc0579f-8113-47ea-b116-bb5a8db9202a"
DEVICE_BOUND: dict[str, Any] = {"be": False, "bs": False}


@dataclass(frozen=True)
class OddMaker(AttestationRoot):
    """A maker whose devices' certificates are odd in one way."""

    unit: str = "Authenticator Attestation"
    may_issue: bool | None = False
    """None: the certificate does not say."""
    since: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    until: datetime = datetime(2099, 1, 1, tzinfo=UTC)
    above: tuple[bytes, ...] = ()
    """Certificates between the device's and a root."""

    def issue(self, aaguid: bytes) -> tuple[ec.EllipticCurvePrivateKey, list[bytes]]:
        """A device's attestation key, and its chain."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, self.unit)])
        builder = (
            x509.CertificateBuilder(subject_name=name, issuer_name=self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.since)
            .not_valid_after(self.until)
        )
        if self.may_issue is not None:
            constraints = x509.BasicConstraints(ca=self.may_issue, path_length=None)
            builder = builder.add_extension(constraints, critical=True)
        device = builder.sign(self.key, SHA256())
        return key, [device.public_bytes(Encoding.DER), *self.above]


@pytest.fixture(scope="module")
def maker() -> AttestationRoot:
    return AttestationRoot.generate()


@pytest.fixture(scope="module")
def stranger() -> AttestationRoot:
    """Another maker, whose root has the same name."""
    return AttestationRoot.generate()


@pytest.fixture
def trusting(tools: Tools, maker: AttestationRoot) -> Passkey:
    return Passkey(tools, policy=AttestationPolicy(roots=(maker.pem,)))


def test_a_vouched_for_key_that_stays_is_in_hardware(
    trusting: Passkey, alice: User, maker: AttestationRoot
) -> None:
    soft = authenticator(aaguid=MODEL)
    made = enrol(trusting, alice, soft, attestation=maker, **DEVICE_BOUND)
    assert isinstance(made, Enrolled)
    assert made.proof is not None
    for proof in (made.proof, used(trusting, None, soft)):
        assert Trait.HARDWARE_PROTECTED in proof.proves
        assert proof.amr == ("pop", "user", "hwk")


def test_without_user_verification_it_is_in_hardware_all_the_same(
    trusting: Passkey, alice: User, maker: AttestationRoot
) -> None:
    soft = authenticator(aaguid=MODEL)
    enrolled(trusting, alice, soft, attestation=maker, uv=False, **DEVICE_BOUND)
    assert used(trusting, None, soft, uv=False).proves == {
        Trait.POSSESSION,
        Trait.PHISHING_RESISTANT,
        Trait.HARDWARE_PROTECTED,
    }


def test_what_may_be_copied_is_never_in_hardware(
    trusting: Passkey, alice: User, maker: AttestationRoot
) -> None:
    soft = authenticator(aaguid=MODEL)
    made = enrol(trusting, alice, soft, attestation=maker, be=True, bs=False)
    assert isinstance(made, Enrolled)
    assert made.proof is not None
    for proof in (made.proof, used(trusting, None, soft), used(trusting, None, soft, bs=True)):
        assert Trait.HARDWARE_PROTECTED not in proof.proves
        assert proof.amr == ("pop", "user", "swk")
    (offer,) = trusting.offers(alice, [made.credential])
    assert Trait.HARDWARE_PROTECTED not in offer.proves


@pytest.mark.parametrize("attestation", ["none", "self", "stranger"])
def test_nobody_else_vouches(
    trusting: Passkey, alice: User, stranger: AttestationRoot, attestation: Any
) -> None:
    soft = authenticator(aaguid=MODEL)
    shown = stranger if attestation == "stranger" else attestation
    passkey = enrolled(trusting, alice, soft, attestation=shown, **DEVICE_BOUND)
    assert passkey.data["attested_by"] is None
    assert used(trusting, None, soft).amr == ("pop", "user")
    (offer,) = trusting.offers(alice, [passkey])
    assert Trait.HARDWARE_PROTECTED not in offer.proves


def test_without_roots_a_chain_vouches_for_nothing(
    tools: Tools, alice: User, maker: AttestationRoot
) -> None:
    soft = authenticator(aaguid=MODEL)
    trusting_nobody = Passkey(tools)
    passkey = enrolled(trusting_nobody, alice, soft, attestation=maker, **DEVICE_BOUND)
    assert passkey.data["attested_by"] is None
    assert used(trusting_nobody, None, soft).amr == ("pop", "user")
    (offer,) = trusting_nobody.offers(None, [])
    assert Trait.HARDWARE_PROTECTED not in offer.proves


def test_a_root_taken_off_the_list_takes_its_word_along(
    tools: Tools, trusting: Passkey, alice: User, maker: AttestationRoot, stranger: AttestationRoot
) -> None:
    soft = authenticator(aaguid=MODEL)
    enrolled(trusting, alice, soft, attestation=maker, **DEVICE_BOUND)
    later = Passkey(tools, policy=AttestationPolicy(roots=(stranger.pem,)))
    assert "hwk" not in used(later, None, soft).amr
    both = Passkey(tools, policy=AttestationPolicy(roots=(stranger.pem, maker.pem)))
    assert "hwk" in used(both, None, soft).amr


def test_a_bad_signature_is_refused_and_not_just_ignored(
    trusting: Passkey, alice: User, maker: AttestationRoot
) -> None:
    cut = Tampering(signature=lambda value: value[:-1])
    verdict = enrol(trusting, alice, authenticator(), attestation=maker, tampering=cut)
    assert reason(verdict) == "wrong_attestation"


def test_a_certificate_speaks_for_one_model(
    trusting: Passkey, alice: User, maker: AttestationRoot
) -> None:
    other = Tampering(authenticator_data=lambda v: v[:37] + bytes(16) + v[53:])
    soft = authenticator(aaguid=MODEL)
    verdict = enrol(trusting, alice, soft, attestation=maker, tampering=other)
    assert reason(verdict) == "wrong_attestation"


@pytest.mark.parametrize(
    "change",
    [{"unit": "Web Server"}, {"may_issue": True}, {"may_issue": None}],
    ids=["of another unit", "of an issuer", "without constraints"],
)
def test_only_an_attestation_certificate_attests(
    trusting: Passkey, alice: User, maker: AttestationRoot, change: dict[str, Any]
) -> None:
    odd = OddMaker(maker.key, maker.certificate, **change)
    verdict = enrol(trusting, alice, authenticator(), attestation=odd, **DEVICE_BOUND)
    assert reason(verdict) == "wrong_attestation"


@pytest.mark.parametrize(
    ("change", "vouched"),
    [
        ({}, True),
        ({"until": datetime(2029, 1, 1, tzinfo=UTC)}, False),
        ({"since": datetime(2031, 1, 1, tzinfo=UTC)}, False),
    ],
    ids=["in time", "expired", "not yet valid"],
)
def test_a_chain_is_judged_at_the_time_of_the_ceremony(
    trusting: Passkey, alice: User, maker: AttestationRoot, change: dict[str, Any], vouched: bool
) -> None:
    odd = OddMaker(maker.key, maker.certificate, **change)
    passkey = enrolled(trusting, alice, authenticator(), attestation=odd, **DEVICE_BOUND)
    assert (passkey.data["attested_by"] is not None) is vouched


def test_an_end_certificate_issues_nothing(
    trusting: Passkey, alice: User, maker: AttestationRoot
) -> None:
    key, (device,) = maker.issue(MODEL)
    upstart = OddMaker(key, x509.load_der_x509_certificate(device), above=(device,))
    passkey = enrolled(trusting, alice, authenticator(), attestation=upstart, **DEVICE_BOUND)
    assert passkey.data["attested_by"] is None


def test_only_listed_models(tools: Tools, alice: User, maker: AttestationRoot) -> None:
    policy = AttestationPolicy((maker.pem,), frozenset({MODEL_ID}), required=True)
    strict = Passkey(tools, policy=policy)
    listed, other = authenticator(aaguid=MODEL), authenticator(aaguid=bytes(16))
    enrolled(strict, alice, listed, attestation=maker, **DEVICE_BOUND)
    assert "hwk" in used(strict, None, listed).amr
    assert reason(enrol(strict, alice, other, attestation=maker)) == "model_not_allowed"
    # Anybody can say of a passkey that it is of a model on the list.
    for attestation in ("none", "self", AttestationRoot.generate()):
        pretending = authenticator(aaguid=MODEL)
        verdict = enrol(strict, alice, pretending, attestation=attestation)
        assert reason(verdict) == "not_attested"
    narrowed = Passkey(tools, policy=replace(policy, allowed_aaguids=frozenset({OTHER_ID})))
    assert "hwk" not in used(narrowed, None, listed).amr


def test_asks_for_attestation_only_where_somebody_could_vouch(
    tools: Tools, trusting: Passkey, alice: User
) -> None:
    conveyances = [
        factor.begin_enrolment(alice, NOON).public["options"]["attestation"]
        for factor in (Passkey(tools), trusting)
    ]
    assert conveyances == ["none", "direct"]


def test_roots_come_from_a_file_or_a_folder(
    alice: User, maker: AttestationRoot, stranger: AttestationRoot, tmp_path: Path
) -> None:
    (tmp_path / "both.pem").write_bytes(maker.pem + stranger.pem)
    for place in (tmp_path, tmp_path / "both.pem"):
        tools = make_tools(webauthn_attestation="direct", webauthn_attestation_roots=str(place))
        factor = Passkey(tools)
        soft = authenticator(aaguid=MODEL)
        enrolled(factor, alice, soft, attestation=stranger, **DEVICE_BOUND)
        assert "hwk" in used(factor, None, soft).amr


def test_a_list_of_models_makes_attestation_obligatory(
    alice: User, maker: AttestationRoot, tmp_path: Path
) -> None:
    (tmp_path / "root.pem").write_bytes(maker.pem)
    factor = Passkey(
        make_tools(
            webauthn_attestation="direct",
            webauthn_attestation_roots=str(tmp_path),
            webauthn_allowed_aaguids=[MODEL_ID.upper()],
        )
    )
    soft = authenticator(aaguid=MODEL)
    assert reason(enrol(factor, alice, soft)) == "not_attested"
    assert reason(enrol(factor, alice, soft, attestation=maker)) == "accepted"
    assert reason(use(factor, None, soft)) == "accepted"


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["absent", "empty", "odd"])
def test_roots_that_cannot_be_read_stop_the_start(tmp_path: Path, content: bytes | None) -> None:
    place = tmp_path / "roots.pem"
    if content is not None:
        place.write_bytes(content)
    tools = make_tools(webauthn_attestation="direct", webauthn_attestation_roots=str(place))
    with pytest.raises(ConfigurationError, match="webauthn_attestation_roots"):
        Passkey(tools)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"webauthn_attestation": "direct"}, "needs webauthn_attestation_roots"),
        ({"webauthn_allowed_aaguids": [MODEL_ID]}, "needs webauthn_attestation = direct"),
        ({"webauthn_allowed_aaguids": ["YubiKey"]}, "must be model ids"),
        ({"webauthn_attestation": "enterprise"}, "must be one of none, direct"),
    ],
    ids=["without roots", "unattested models", "names for ids", "another conveyance"],
)
def test_settings_that_contradict_each_other(settings: dict[str, Any], complaint: str) -> None:
    key = Fernet.generate_key().decode()
    with pytest.raises(ConfigurationError, match=complaint):
        load_settings(environ={}, issuer="https://id.example.org", keys=[key], **settings)
