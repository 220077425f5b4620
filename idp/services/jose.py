"""Signing and verifying one JWT with one key and one algorithm; nothing here chooses."""

import re
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import base64_to_int

from idp import measures
from idp.frozen import made_often
from idp.json_text import dump
from idp.protocol.json_values import Json, parse_json
from idp.services.signatures import Signatures

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "PS256")
"""What a key can be made for; RS256 and PS256 do not share one (RFC 8725 section 3.1)."""

MAX_TOKEN: Final = 16384
"""Characters; no token of ours comes near it."""

_HEADER: Final = frozenset({"alg", "kid", "typ"})


class InvalidToken(Exception):
    """The text is not a JWT that this provider signed as what it is presented as."""


_ALGORITHMS: Final = {name: JWSRegistry.algorithms[name] for name in ALGORITHMS}
"""By themselves, without what chooses among them: each is told its key, and never a header."""

# RFC 7515 section 7.1: three parts, and no padding or line end anywhere.
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")


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


class Pinned:
    """A key and its one algorithm: what joserfc looks at again at every use, is looked at once.

    ``signatures`` are those of it that are known to be good; they go when the key does.
    """

    def __init__(self, key: Key, algorithm: str) -> None:
        self.algorithm = algorithm
        self.signatures = Signatures()
        self._key = key
        self._halves: dict[str, Any] = {}

    @cached_property
    def model(self) -> Any:
        """The algorithm. Raises ``JoseError`` where the key is not for it."""
        model = _ALGORITHMS[self.algorithm]
        model.check_key(self._key)
        return model

    @cached_property
    def curve_key_size(self) -> int:
        """In bits; of a key on a curve."""
        return cast(ECKey, self._key).curve_key_size

    def get_op_key(self, operation: Literal["sign", "verify"]) -> Any:
        """As joserfc's algorithms ask a key for the half that they need."""
        half = self._halves.get(operation)
        if half is None:
            half = self._halves[operation] = self._key.get_op_key(operation)
        return half


def sign(claims: Mapping[str, Any], *, key: Pinned, kid: str, typ: str = "JWT") -> str:
    """A compact JWS (RFC 7515 section 7.1) over ``claims``, with ``alg``, ``kid`` and ``typ``."""
    model = key.model
    signed = f"{_header(key.algorithm, kid, typ)}.{_encode(dump(claims).encode())}"
    with measures.stage("sign"):
        return f"{signed}.{_encode(model.sign(signed.encode(), key))}"


@made_often
@dataclass(frozen=True, slots=True)
class Presented:
    """A JWT that was taken apart and not yet believed: all of it is its own words."""

    algorithm: str
    kid: str
    typ: str
    payload: str
    token: str

    def halves(self) -> tuple[bytes, str]:
        """What was signed, and the signature in base64url."""
        signed, _, signature = self.token.rpartition(".")
        return signed.encode(), signature


def read(token: str) -> Presented:
    """Take a compact JWS apart without trusting it.

    Raises ``InvalidToken`` when it is too long, is not compact, or when its header says anything
    beside ``alg``, ``kid`` and ``typ``: so no ``jwk``, ``jku``, ``x5u``, ``crit`` or ``zip``.
    """
    parts = _COMPACT.fullmatch(token) if len(token) <= MAX_TOKEN else None
    if parts is None:
        raise InvalidToken("not a compact JWS")
    header, payload = parts.groups()
    return Presented(*_read_header(header), payload, token)


def verify(presented: Presented, *, key: Pinned) -> str:
    """The payload, if ``key`` signed it with its algorithm. Raises ``InvalidToken``."""
    # The key's algorithm, which the header can only agree with (RFC 8725 section 3.1).
    if presented.algorithm != key.algorithm:
        raise InvalidToken("not signed by this key")
    if presented.token not in key.signatures:
        if not _is_signed(presented, key):
            raise InvalidToken("not signed by this key")
        key.signatures.remember(presented.token)
    return presented.payload


def claims_of(payload: str) -> Mapping[str, Json]:
    """What a payload says; times are the caller's to check. Raises ``InvalidToken``."""
    try:
        claims = parse_json(_decode(payload).decode())
    except ValueError as error:
        raise InvalidToken("not claims") from error
    if not isinstance(claims, Mapping):
        raise InvalidToken("not claims")
    return claims


def _is_signed(presented: Presented, key: Pinned) -> bool:
    signed, signature = presented.halves()
    try:
        raw = _decode(signature)
        # RFC 4648 section 3.5: bits that mean nothing are zero, or one signature is many texts.
        return _encode(raw) == signature and bool(key.model.verify(signed, raw, key))
    except (JoseError, TypeError, ValueError):
        return False


@lru_cache(maxsize=64)
def _header(algorithm: str, kid: str, typ: str) -> str:
    """The first part of whatever is signed by one key as one thing."""
    return _encode(dump({"alg": algorithm, "kid": kid, "typ": typ}).encode())


@lru_cache(maxsize=64)
def _read_header(part: str) -> tuple[str, str, str]:
    """``alg``, ``kid`` and ``typ``; what is kept is the reading of a text, whoever sent it."""
    try:
        header = parse_json(_decode(part).decode())
    except ValueError as error:
        raise InvalidToken("not a compact JWS") from error
    if not isinstance(header, Mapping) or not header.keys() <= _HEADER:
        raise InvalidToken("not a header of ours")
    found = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not all(isinstance(one, str) for one in found):
        raise InvalidToken("not a header of ours")
    return cast("tuple[str, str, str]", found)


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(part: str) -> bytes:
    # More padding than is due is read over; less would be an error.
    return a2b_base64(f"{part.replace('-', '+').replace('_', '/')}==")
