"""A passkey in software: its key pair, and how it signs."""

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cose

Algorithm = Literal["ES256", "EdDSA", "RS256"]
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

COSE_KEYS: dict[Algorithm, type[cose.CoseKey]] = {
    "ES256": cose.ES256,
    "EdDSA": cose.EdDSA,
    "RS256": cose.RS256,
}
"""In the order in which an authenticator prefers them."""


def generate_key(algorithm: Algorithm) -> PrivateKey:
    """A fresh private key."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def sign(key: PrivateKey, message: bytes) -> bytes:
    """A signature as WebAuthn carries it: ECDSA in DER, EdDSA raw, RSA PKCS #1 v1.5."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), SHA256())
    return key.sign(message)


@dataclass(kw_only=True)
class SoftCredential:
    """One passkey. ``counter`` is the number it will report next."""

    id: bytes
    rp_id: str
    user_handle: bytes
    algorithm: Algorithm
    key: PrivateKey
    backup_eligible: bool
    counter: int = 0

    @property
    def public_key(self) -> cose.CoseKey:
        """The COSE key that a relying party stores."""
        return COSE_KEYS[self.algorithm].from_cryptography_key(self.key.public_key())
