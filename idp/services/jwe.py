"""Encrypting to one public key, by one algorithm and one cipher; nothing here chooses."""

from typing import Any, Final

from joserfc.jwe import JWERegistry, encrypt_compact
from joserfc.jwk import Key

ALGORITHMS: Final = (
    *("RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"),
    "RSA-OAEP",
)
"""RFC 7518 section 4.1, what we would choose ourselves first. RSA1_5 invites padding oracles."""

CIPHERS: Final = ("A256GCM", "A128GCM", "A256CBC-HS512", "A128CBC-HS256")
"""RFC 7518 section 5.1."""

USUAL_CIPHER: Final = "A128CBC-HS256"
"""OIDC Registration 2: what is meant by whoever registered an algorithm alone."""


def encrypt(
    text: str, *, key: Key, algorithm: str, cipher: str, content_type: str | None = None
) -> str:
    """A compact JWE (RFC 7516 section 7.1) over ``text``, never compressed.

    ``content_type`` is ``JWT`` where the text is one itself (RFC 7519 section 5.2). Raises
    ``joserfc.errors.JoseError`` when the key is not one for the algorithm.
    """
    header: dict[str, Any] = {"alg": algorithm, "enc": cipher, "typ": "JWT"}
    if content_type is not None:
        header["cty"] = content_type
    if key.kid is not None:
        header["kid"] = key.kid
    return encrypt_compact(header, text, key, registry=JWERegistry(algorithms=[algorithm, cipher]))
