"""A make-believe authenticator vendor: a root, and the certificates it gives to its devices."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

# WebAuthn 3, section 8.2.1: the certificate names the model it speaks for.
_AAGUID_EXTENSION = ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
_FROM = datetime(2020, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2099, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class AttestationRoot:
    """Certificates valid from 2020 to 2099. ``pem`` is what a relying party would trust."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def generate(cls, name: str = "Example Authenticator Root") -> Self:
        """A new root with a P-256 key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        builder = _builder(subject, subject, key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        return cls(key, builder.sign(key, SHA256()))

    @property
    def pem(self) -> bytes:
        """The root certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(self, aaguid: bytes) -> tuple[ec.EllipticCurvePrivateKey, list[bytes]]:
        """A device's attestation key, and its chain (DER, without the root)."""
        key = ec.generate_private_key(ec.SECP256R1())
        # An octet string (tag 4, 16 long) inside the extension's own octet string.
        wrapped = x509.UnrecognizedExtension(_AAGUID_EXTENSION, b"\x04\x10" + aaguid)
        certificate = (
            _builder(_name("Example Authenticator"), self.certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(wrapped, critical=False)
            .sign(self.key, SHA256())
        )
        return key, [certificate.public_bytes(Encoding.DER)]


def _name(common_name: str) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, "AQ"),
        (NameOID.ORGANIZATION_NAME, "Example Vendor"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
        (NameOID.COMMON_NAME, common_name),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
    )
