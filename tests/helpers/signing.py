"""Clients that sign, with keys that one process makes once."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.helpers import base64url

_CURVES = {
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
}


@cache
def key_of(algorithm: str, name: str = "one") -> Key:
    """A private key that ``algorithm`` works with; another ``name``, another key."""
    if algorithm.startswith(("RS", "PS")):
        return _rsa(name)
    if algorithm.startswith("ES"):
        return ECKey.generate_key(_CURVES[algorithm])
    return _edwards(name)


@cache
def _rsa(name: str) -> Key:
    return RSAKey.generate_key(2048)


@cache
def _edwards(name: str) -> Key:
    return OKPKey.generate_key("Ed25519")


@cache
def small_rsa() -> dict[str, Any]:
    """The public half of an RSA key that is too short to count."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    modulus = made.public_key().public_numbers().n
    return {"kty": "RSA", "n": base64url.encode(modulus.to_bytes(128)), "e": "AQAB"}


def public(key: Key, **members: Any) -> dict[str, Any]:
    """The public JWK, with further members."""
    return {**key.as_dict(private=False), **members}


def jwks(*keys: Mapping[str, Any]) -> dict[str, Any]:
    """A JWK Set."""
    return {"keys": [dict(key) for key in keys]}


def signed(claims: Mapping[str, Any] | bytes, key: Key | str, algorithm: str, **header: Any) -> str:
    """A compact JWS with whatever header; a text as the key is a client secret."""
    full = {"alg": algorithm, **header}
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    content = f"{base64url.encode(json.dumps(full).encode())}.{base64url.encode(body)}"
    material = OctKey.import_key(key) if isinstance(key, str) else key
    signature = JWSRegistry.algorithms[algorithm].sign(content.encode(), material)
    return f"{content}.{base64url.encode(signature)}"
