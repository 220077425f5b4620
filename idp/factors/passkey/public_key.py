"""The algorithms that are asked for, and whether a credential's key is one of them."""

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from idp.factors.passkey.refusals import Deviation, Reason, or_else


def _is_p256(key: object) -> bool:
    # WebAuthn L3 §5.8.5: an ES256 key must be on P-256, which py_webauthn leaves open.
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)


def _is_ed25519(key: object) -> bool:
    return isinstance(key, Ed25519PublicKey)


def _is_rsa(key: object) -> bool:
    # Shorter ones are too weak; longer ones would only make each sign-in slow on purpose.
    return (
        isinstance(key, RSAPublicKey)
        and 2048 <= key.key_size <= 4096
        and key.public_numbers().e.bit_length() <= 32
    )


_FITS: Mapping[int, Callable[[object], bool]] = {
    COSEAlgorithmIdentifier.ECDSA_SHA_256: _is_p256,
    COSEAlgorithmIdentifier.EDDSA: _is_ed25519,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256: _is_rsa,
}

ALGORITHMS = [COSEAlgorithmIdentifier(number) for number in _FITS]
"""``pubKeyCredParams``, most wanted first."""


def check_public_key(cose_key: bytes) -> int:
    """The key's COSE algorithm; raises ``Deviation`` unless it is one asked for, and whole.

    py_webauthn compares the algorithm's number only, and would keep a key that never verifies.
    """
    with or_else(Reason.MALFORMED):
        decoded = decode_credential_public_key(cose_key)
        fits = _FITS.get(decoded.alg)
        if fits is None:
            raise Deviation(Reason.WRONG_ALGORITHM)
        if not fits(decoded_public_key_to_cryptography(decoded)):
            raise Deviation(Reason.WRONG_ALGORITHM)
        return int(decoded.alg)
