"""Signing and verifying one JWT with one key and one algorithm; nothing here chooses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import JWKRegistry, Key, RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.util import base64_to_int, json_b64decode

from idp import measures
from idp.protocol.json_values import Json, parse_json

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "PS256")
"""What a key can be made for; RS256 and PS256 do not share one (RFC 8725 section 3.1)."""

MAX_TOKEN: Final = 16384
"""Characters; no token of ours comes near it."""

_HEADER: Final = frozenset({"alg", "kid", "typ"})


class InvalidToken(Exception):
    """The text is not a JWT that this provider signed as what it is presented as."""


class _Pinned(JWSRegistry):
    """Knows a single algorithm.

    It also keeps quiet about the name EdDSA: RFC 9864 calls it ``Ed25519``, but relying parties
    know the old one, and a warning for every token would drown all others.
    """

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=(algorithm,))
        self._only = self.algorithms[algorithm]

    def get_alg(self, name: str) -> Any:
        if name != self._only.name:
            raise UnsupportedAlgorithmError(f"only {self._only.name} is allowed here")
        return self._only


_REGISTRIES: Final = {name: _Pinned(name) for name in ALGORITHMS}


_MADE_AS: Final[Mapping[str, tuple[str, str | int]]] = {
    "RS256": ("RSA", 2048),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
    "PS256": ("RSA", 2048),
}


def make_key(algorithm: str) -> Key:
    """A new key pair for ``algorithm``; its ``kid`` is the RFC 7638 thumbprint."""
    kty, size = _MADE_AS[algorithm]
    key = JWKRegistry.generate_key(kty, size, {"alg": algorithm, "use": "sig"}, auto_kid=True)
    # ``idp keys retire`` takes what begins with a hyphen for an option.
    return make_key(algorithm) if key.thumbprint().startswith("-") else key


def reopened(jwk: Mapping[str, Any]) -> Key:
    """A key pair that we made, and sealed ourselves: what was sealed is what was made.

    So the primes of an RSA key are not tested once more, which takes a tenth of a second each.
    """
    if jwk["kty"] != "RSA":
        return JWKRegistry.import_key(dict(jwk))
    d, p, q, dp, dq, qi, e, n = (base64_to_int(jwk[name]) for name in _RSA_NUMBERS)
    numbers = RSAPrivateNumbers(
        d=d, p=p, q=q, dmp1=dp, dmq1=dq, iqmp=qi, public_numbers=RSAPublicNumbers(e, n)
    )
    return RSAKey(numbers.private_key(unsafe_skip_rsa_key_validation=True), dict(jwk))


_RSA_NUMBERS: Final = ("d", "p", "q", "dp", "dq", "qi", "e", "n")


def sign(claims: Mapping[str, Any], *, key: Key, kid: str, algorithm: str, typ: str = "JWT") -> str:
    """A compact JWS (RFC 7515 section 7.1) over ``claims``, with ``alg``, ``kid`` and ``typ``."""
    header = {"alg": algorithm, "kid": kid, "typ": typ}
    with measures.stage("sign"):
        return jwt.encode(header, dict(claims), key, registry=_REGISTRIES[algorithm])


@dataclass(frozen=True, slots=True)
class Presented:
    """A JWT that was taken apart and not yet believed: ``kid`` and ``typ`` are its own words."""

    token: str
    kid: str
    typ: str


def read(token: str) -> Presented:
    """Take a compact JWS apart without trusting it.

    Raises ``InvalidToken`` when it is too long, is not compact, or when its header says anything
    beside ``alg``, ``kid`` and ``typ``: so no ``jwk``, ``jku``, ``x5u``, ``crit`` or ``zip``.
    """
    if len(token) > MAX_TOKEN or token.count(".") != 2 or not token.isascii():
        raise InvalidToken("not a compact JWS")
    try:
        header: object = json_b64decode(token.partition(".")[0].encode())
    except (TypeError, ValueError) as error:
        raise InvalidToken("not a compact JWS") from error
    if not isinstance(header, dict) or not header.keys() <= _HEADER:
        raise InvalidToken("not a header of ours")
    kid, typ = header.get("kid"), header.get("typ", "JWT")
    if not isinstance(kid, str) or not isinstance(typ, str):
        raise InvalidToken("not a header of ours")
    return Presented(token, kid, typ)


def verify(presented: Presented, *, key: Key, algorithm: str) -> Mapping[str, Json]:
    """The claims, if ``key`` signed them with ``algorithm``; times are the caller's to check.

    Raises ``InvalidToken``.
    """
    try:
        signed = deserialize_compact(presented.token, key, registry=_REGISTRIES[algorithm])
        claims = parse_json(signed.payload.decode())
    except (JoseError, TypeError, ValueError) as error:
        raise InvalidToken("not signed by this key") from error
    if not isinstance(claims, Mapping):
        raise InvalidToken("not signed by this key")
    return claims
