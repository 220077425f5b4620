"""Attestation: an authenticator's maker vouches for it, where the administrator asks for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AttestationObject,
)

from idp.config import ConfigurationError, Settings
from idp.factors.passkey.refusals import Deviation, Reason, or_else

_AAGUID_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
_DEPTH = 4
_SPEAK_FOR_HARDWARE = frozenset(
    {
        AttestationFormat.PACKED,
        AttestationFormat.TPM,
        AttestationFormat.ANDROID_KEY,
        AttestationFormat.APPLE,
        AttestationFormat.FIDO_U2F,
    }
)
"""SafetyNet spoke for an operating system, not for where a key is kept."""


@dataclass(frozen=True, slots=True)
class AttestationPolicy:
    """Whom we believe about authenticators. By default nobody: attestation is not asked for.

    ``roots`` are certificates in PEM, one each. With ``allowed_aaguids``, or with ``required``
    alone, a passkey is made only where a chain to one of them vouches for it.
    """

    roots: tuple[bytes, ...] = ()
    allowed_aaguids: frozenset[str] | None = None
    required: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The policy configured; raises ``ConfigurationError`` when its roots cannot be read."""
        if settings.webauthn_attestation == "none":
            return cls()
        allowed = settings.webauthn_allowed_aaguids
        return cls(
            roots=_read_roots(settings.webauthn_attestation_roots),
            allowed_aaguids=frozenset(allowed) if allowed else None,
            # An AAGUID that nobody vouches for is only the client's word.
            required=bool(allowed),
        )

    @property
    def conveyance(self) -> AttestationConveyancePreference:
        """What to ask the browser for."""
        if self.roots:
            return AttestationConveyancePreference.DIRECT
        return AttestationConveyancePreference.NONE

    def judge(self, attestation: AttestationObject, *, aaguid: str, now: datetime) -> str | None:
        """Who vouches for a new passkey: a root's SHA-256 in hex, or None when nobody does.

        To be asked after the statement's own signature was verified. py_webauthn lets any chain
        pass when it is given no roots, and trusts some makers by itself; here only the
        administrator's roots count. Raises ``Deviation`` where the policy wants more
        (WebAuthn L3 §7.1 steps 23 and 24).
        """
        vouched = self._vouched(attestation, aaguid, now) if self.roots else None
        if self.required and vouched is None:
            raise Deviation(Reason.NOT_ATTESTED)
        if self.allowed_aaguids is not None and aaguid not in self.allowed_aaguids:
            raise Deviation(Reason.MODEL_NOT_ALLOWED)
        return vouched

    def _vouched(self, attestation: AttestationObject, aaguid: str, now: datetime) -> str | None:
        chain = attestation.att_stmt.x5c
        if not chain or attestation.fmt not in _SPEAK_FOR_HARDWARE:
            return None
        with or_else(Reason.WRONG_ATTESTATION):
            certificates = [x509.load_der_x509_certificate(each) for each in chain]
            if attestation.fmt == AttestationFormat.PACKED:
                _check_packed(certificates[0])
            _check_aaguid(certificates[0], aaguid)
        return self._root_above(certificates, now)

    def _root_above(self, chain: list[x509.Certificate], now: datetime) -> str | None:
        builder = PolicyBuilder().store(Store([_certificate(root) for root in self.roots]))
        verifier = (
            builder.time(now)
            .max_chain_depth(_DEPTH)
            .extension_policies(ca_policy=_ISSUERS, ee_policy=ExtensionPolicy.permit_all())
            .build_client_verifier()
        )
        with or_else(Reason.WRONG_ATTESTATION):
            try:
                verified = verifier.verify(chain[0], chain[1:])
            except VerificationError:
                return None
            return verified.chain[-1].fingerprint(SHA256()).hex()

    def still_trusts(self, data: Mapping[str, Any]) -> bool:
        """Does what once vouched for a passkey do so under the policy of today?

        ``data`` is its credential's. A root that was taken off the list takes its word along.
        """
        known = map(_fingerprint, self.roots)
        allowed = self.allowed_aaguids
        return data["attested_by"] in known and (allowed is None or data["aaguid"] in allowed)


@cache
def _certificate(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def _fingerprint(pem: bytes) -> str:
    return _certificate(pem).fingerprint(SHA256()).hex()


def _must_issue(
    _policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints
) -> None:
    if not constraints.ca:
        raise ValueError("not a certificate that may issue others")


# Device certificates follow FIDO's rules and not those of the web: no names of hosts, no purposes.
# What must hold anywhere is that only an authority issues.
_ISSUERS = ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, Criticality.AGNOSTIC, _must_issue
)


def _check_packed(leaf: x509.Certificate) -> None:
    """WebAuthn L3 §8.2.1, which py_webauthn leaves out: is this an attestation certificate?"""
    units = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
    if (
        leaf.version is not x509.Version.v3
        or [unit.value for unit in units] != ["Authenticator Attestation"]
        or constraints.ca
    ):
        raise Deviation(Reason.WRONG_ATTESTATION)


def _check_aaguid(leaf: x509.Certificate, aaguid: str) -> None:
    """Where the certificate names a model, it is the one that the authenticator named."""
    try:
        extension = leaf.extensions.get_extension_for_oid(_AAGUID_EXTENSION).value
    except x509.ExtensionNotFound:
        return
    # An OCTET STRING (tag 4) of 16 bytes inside the extension's own.
    if extension.public_bytes() != b"\x04\x10" + bytes.fromhex(aaguid.replace("-", "")):
        raise Deviation(Reason.WRONG_ATTESTATION)


def _read_roots(path: Path | None) -> tuple[bytes, ...]:
    """The certificates in a PEM file, or in all ``*.pem`` of a folder."""
    if path is None:
        raise ConfigurationError(["webauthn_attestation_roots: is missing"])
    try:
        files = sorted(path.glob("*.pem")) if path.is_dir() else [path]
        found = [
            certificate.public_bytes(Encoding.PEM)
            for file in files
            for certificate in x509.load_pem_x509_certificates(file.read_bytes())
        ]
    except (OSError, ValueError) as error:
        problem = f"webauthn_attestation_roots: {path} cannot be read: {error}"
        raise ConfigurationError([problem]) from error
    if not found:
        raise ConfigurationError([f"webauthn_attestation_roots: {path} holds no certificate"])
    return tuple(found)
