"""A client's DPoP key, and the proofs that it really signs (RFC 9449 section 4)."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.jwk import Key

from idp.clock import Clock
from idp.services.jose import make_key
from tests.helpers import base64url

_SAME = {"Ed25519": "EdDSA"}
"""RFC 9864: another name for signatures by the same keys."""

REMOVED = object()
"""As a value of a header member or claim: leave it out."""


@dataclass
class Prover:
    """Signs with ``key``; ``base`` is the provider's address."""

    base: str
    clock: Clock
    algorithm: str = "ES256"
    key: Key | None = None
    nonce: str | None = None

    def __post_init__(self) -> None:
        self.key = self.key or make_key(_SAME.get(self.algorithm, self.algorithm))

    @property
    def jkt(self) -> str:
        return self._key.thumbprint()

    @property
    def _key(self) -> Key:
        assert self.key is not None
        return self.key

    @property
    def public(self) -> dict[str, Any]:
        """The public key as a JWK, without what is not needed."""
        told = self._key.as_dict(private=False)
        return {name: told[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in told}

    def proof(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        header: dict[str, Any] | None = None,
        signer: Key | None = None,
        **claims: Any,
    ) -> str:
        """An honest proof with ``header`` and ``claims`` changed; ``REMOVED`` leaves one out."""
        honest: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": self.base + path,
            "iat": int(self.clock().timestamp()),
        }
        if token is not None:
            honest["ath"] = base64url.encode(hashlib.sha256(token.encode()).digest())
        if self.nonce is not None:
            honest["nonce"] = self.nonce
        said = _without_removed({**honest, **claims})
        head = _without_removed(
            {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.public, **(header or {})}
        )
        return sign(head, said, signer or self._key)

    def headers(self, token: str, method: str, path: str, **changes: Any) -> dict[str, str]:
        """Of a request to a resource with ``token``."""
        proof = self.proof(method, path, token=token, **changes)
        return {"Authorization": f"DPoP {token}", "DPoP": proof}


def sign(header: dict[str, Any], claims: Any, key: Key) -> str:
    """A compact JWS over ``claims`` with whatever ``header`` says; "none" is not signed at all."""
    head, body = _part(header), _part(claims)
    model = jws.JWSRegistry.algorithms.get(str(header.get("alg")))
    if model is None or model.name == "none":
        return f"{head}.{body}."
    signature = model.sign(f"{head}.{body}".encode(), key)
    return f"{head}.{body}.{base64url.encode(signature)}"


def _part(value: Any) -> str:
    return base64url.encode(json.dumps(value).encode())


def _without_removed(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not REMOVED}
