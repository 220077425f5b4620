"""Proofs of possession of a key (RFC 9449): read, checked, and each used once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from idp.clock import epoch
from idp.config import Settings
from idp.protocol.dpop import TYPE, Expected, problem
from idp.protocol.errors import OAuthError
from idp.protocol.json_values import Json
from idp.protocol.urls import origin
from idp.services.binding import sha256_thumbprint
from idp.services.client_jwts import FORBIDDEN, InvalidClientJwt, Unverified, is_signed, read
from idp.services.dpop_nonces import LIFETIME as NONCE_LIFETIME
from idp.services.dpop_nonces import Nonces
from idp.state import store

ALGORITHMS: Final = ("ES256", "EdDSA", "Ed25519", "PS256", "RS256")
"""Asymmetric, as section 4.2 asks, and what our own signatures are made of."""

MAX_PROOF: Final = 8192
"""Characters; one by an RSA key of 4096 bits, which carries that key, has about 2,500."""

WINDOW: Final = timedelta(seconds=60)
"""How far the time of a proof may be from ours, in either direction, without a nonce."""

_FORBIDDEN: Final = FORBIDDEN - {"jwk"}
"""The key is in the header and nowhere else; what points at keys is refused unread."""

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KEY_OF: Final[Mapping[str, Mapping[str, str]]] = {
    "ES256": {"kty": "EC", "crv": "P-256"},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
    "Ed25519": {"kty": "OKP", "crv": "Ed25519"},
    "PS256": {"kty": "RSA"},
    "RS256": {"kty": "RSA"},
}
_RSA_BITS: Final = range(2048, 4097)
_MAX_EXPONENT: Final = 6
"""Characters of ``e``, four bytes: a long exponent would make us work for whoever sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that held for the request it came with; ``jkt`` is its key's RFC 7638 thumbprint."""

    jkt: str
    jti: str


class Replayed(OAuthError):
    """The proof had been used before; for the audit log to tell apart."""

    def __init__(self) -> None:
        super().__init__("invalid_dpop_proof", "The DPoP proof was used before.")


class Proofs:
    """Checks the proofs of one provider, whose addresses come from the settings alone."""

    def __init__(self, settings: Settings) -> None:
        self.nonces = Nonces(settings.keys)
        self._needs_nonce = settings.dpop_nonces
        self._window = NONCE_LIFETIME if settings.dpop_nonces else WINDOW
        addresses = (settings.issuer, *filter(None, [settings.mtls_origin]))
        self._bases = tuple(origin(one) for one in addresses)

    def check(
        self,
        text: str,
        *,
        method: str,
        path: str,
        now: datetime,
        access_token: str | None = None,
        algorithms: Collection[str] = ALGORITHMS,
    ) -> Proof:
        """The proof in a ``DPoP`` header, if it holds for this request; it is not used up yet.

        ``access_token`` is the one that came along, at a resource. Raises ``OAuthError``:
        ``invalid_dpop_proof``, or ``use_dpop_nonce`` when only a nonce of ours is missing.
        """
        expected = Expected(
            method=method,
            bases=self._bases,
            path=path,
            now=epoch(now),
            window=int(self._window.total_seconds()),
            ath=None if access_token is None else sha256_thumbprint(access_token.encode()),
        )
        jkt, claims = _verified(text, algorithms)
        found = problem(claims, expected)
        if found is not None:
            raise invalid(found)
        self._check_nonce(claims.get("nonce"), now)
        return Proof(jkt=jkt, jti=str(claims["jti"]))

    def spend(self, proof: Proof, now: datetime) -> None:
        """Use the proof up, in the caller's transaction. Raises ``Replayed``.

        It is remembered for as long as its time could be accepted: a window ahead and one behind.
        """
        # Per key: nobody can use up the jti of somebody else's proofs.
        seen = f"{proof.jkt}\0{proof.jti}"
        if not store.mark("dpop", seen, now=now, lifetime=2 * self._window):
            raise Replayed

    def _check_nonce(self, nonce: Json, now: datetime) -> None:
        if not self._needs_nonce:
            return  # none was given out, so what is here is a claim that nobody knows
        if not isinstance(nonce, str) or not self.nonces.accepts(nonce, now):
            raise OAuthError("use_dpop_nonce", "The DPoP proof needs the nonce in this answer.")


def _verified(text: str, algorithms: Collection[str]) -> tuple[str, Mapping[str, Json]]:
    """The thumbprint of the key in the header, and the claims that it signed."""
    unverified = _read(text)
    header, algorithm = unverified.header, unverified.algorithm
    if header.get("typ") != TYPE:
        raise invalid(f"typ must be {TYPE}.")
    if algorithm not in algorithms:
        raise invalid(f"alg must be one of: {', '.join(algorithms)}.")
    key = _public_key(header.get("jwk"), algorithm)
    if not is_signed(unverified, key, algorithm):
        raise invalid("The signature is not by the key in jwk.")
    return key.thumbprint(), unverified.claims


def _read(text: str) -> Unverified:
    # Two headers reach us joined by a comma, which no compact JWS has (section 4.3, check 1).
    try:
        unverified = read(text, at_most=MAX_PROOF, forbidden=_FORBIDDEN)
    except InvalidClientJwt as error:
        raise invalid(f"There must be one DPoP header with one proof: {error}.") from None
    return unverified


def _public_key(jwk: Any, algorithm: str) -> Key:
    if not isinstance(jwk, Mapping) or not all(isinstance(one, str) for one in _core(jwk)):
        raise invalid("jwk must be a public key.")
    if not _PRIVATE.isdisjoint(jwk):
        raise invalid("jwk must not hold a private or symmetric key.")
    if any(jwk.get(name) != value for name, value in _KEY_OF[algorithm].items()):
        raise invalid("jwk is not a key for this alg.")
    if len(jwk.get("e", "")) > _MAX_EXPONENT:
        raise invalid("jwk has an exponent that is too long.")
    key = _imported({name: jwk[name] for name in _PUBLIC if name in jwk})
    raw = key.raw_value
    if isinstance(raw, RSAPublicKey) and raw.key_size not in _RSA_BITS:
        raise invalid("An RSA key must have 2048 to 4096 bits.")
    return key


_PUBLIC: Final = ("kty", "crv", "x", "y", "n", "e")
"""What makes the key; a ``kid`` or a ``use`` says nothing that counts here."""


def _core(jwk: Mapping[str, Any]) -> list[Any]:
    return [jwk[name] for name in _PUBLIC if name in jwk]


def _imported(jwk: dict[str, Any]) -> Key:
    try:
        return JWKRegistry.import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        raise invalid("jwk must be a public key.") from None


def invalid(sentence: str) -> OAuthError:
    """A proof that does not hold (section 5)."""
    return OAuthError("invalid_dpop_proof", f"DPoP: {sentence}")
