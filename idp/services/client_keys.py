"""The keys of a client: what it signs with, what is encrypted to it, what it shares with us."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from joserfc.jwk import Key, OctKey

from idp.protocol.vocabulary import SYMMETRIC_ALGS
from idp.secrecy import Box
from idp.services.client_secrets import SECRET_BYTES
from idp.services.clients import RegisteredClient
from idp.services.fetch import Fetcher
from idp.services.key_sets import KeySets, usable_keys

MAX_REMEMBERED: Final = 2000

Kind = tuple[str, frozenset[str]]
"""``kty``, and the curves that will do; none named: any."""

_RSA: Final[Kind] = ("RSA", frozenset())
_EDWARDS: Final[Kind] = ("OKP", frozenset({"Ed25519", "Ed448"}))
_AGREEMENT: Final = frozenset({"P-256", "P-384", "P-521", "X25519", "X448"})

SIGNING_KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), (_RSA,)),
    "ES256": (("EC", frozenset({"P-256"})),),
    "ES384": (("EC", frozenset({"P-384"})),),
    "ES512": (("EC", frozenset({"P-521"})),),
    "EdDSA": (_EDWARDS,),
    "Ed25519": (("OKP", frozenset({"Ed25519"})),),
    "Ed448": (("OKP", frozenset({"Ed448"})),),
}
"""What kind of key an algorithm works with (RFC 7518 section 3.1, RFC 8037, RFC 9864)."""

ENCRYPTION_KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    **dict.fromkeys(("RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512"), (_RSA,)),
    **dict.fromkeys(
        ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"),
        (("EC", _AGREEMENT), ("OKP", _AGREEMENT)),
    ),
}
"""RFC 7518 section 4.1, RFC 8037 section 3.2."""


class ClientKeys:
    """Finds a client's keys: registered (``jwks``), published (``jwks_uri``), or shared.

    A public key never comes out for a symmetric algorithm, nor the secret for another.
    """

    def __init__(self, fetcher: Fetcher, box: Box) -> None:
        self._box = box
        self._sets = KeySets(fetcher)
        self._registered: dict[str, tuple[int, tuple[Key, ...]]] = {}

    def to_verify(
        self, client: RegisteredClient, *, kid: str | None, algorithm: str, now: datetime
    ) -> tuple[Key, ...]:
        """The keys that ``client`` may have signed with, by ``algorithm`` and under that ``kid``.

        May fetch: the caller's transaction, which must have read only, is ended before that.
        """
        if algorithm in SYMMETRIC_ALGS:
            return self.shared(client, algorithm=algorithm, now=now)
        kinds = SIGNING_KINDS.get(algorithm, ())

        def fits(key: Key) -> bool:
            return kid in (None, key.kid) and _fits(key, kinds, algorithm, _VERIFYING)

        return self.which(client, fits, now)

    def which(
        self, client: RegisteredClient, fits: Callable[[Key], bool], now: datetime
    ) -> tuple[Key, ...]:
        """The public keys that are looked for; fetched anew, if that may be, when none is known.

        May fetch, as ``to_verify``.
        """
        found = tuple(filter(fits, self.published(client, now)))
        if found or client.metadata.jwks_uri is None:
            return found
        return tuple(filter(fits, self._sets.anew_at(client.metadata.jwks_uri, now)))

    def problem(self, client: RegisteredClient) -> str | None:
        """What was the matter when its ``jwks_uri`` was asked last; None when nothing was.

        For administrators alone: it says what there is at an address that a stranger may have
        written.
        """
        uri = client.metadata.jwks_uri
        return None if uri is None else self._sets.problem(uri)

    def to_encrypt(self, client: RegisteredClient, *, algorithm: str, now: datetime) -> Key | None:
        """The public key to encrypt to ``client`` with; the first that fits, None without one.

        May fetch, as ``to_verify``.
        """
        kinds = ENCRYPTION_KINDS.get(algorithm, ())
        keys = self.published(client, now)
        return next((key for key in keys if _fits(key, kinds, algorithm, _ENCRYPTING)), None)

    def shared(
        self, client: RegisteredClient, *, algorithm: str, now: datetime
    ) -> tuple[OctKey, ...]:
        """The client's secrets that count, newest first, as keys (OIDC Core 10.1: its octets).

        Only those that were kept readable and are long enough. Raises ``Unreadable`` when the
        deployment key that sealed one is gone.
        """
        enough = SECRET_BYTES[algorithm]
        secrets = [secret.encode() for secret in self.secrets(client, now)]
        return tuple(OctKey.import_key(one) for one in secrets if len(one) >= enough)

    def secrets(self, client: RegisteredClient, now: datetime) -> tuple[str, ...]:
        """The secrets themselves that count and were kept readable, newest first."""
        alive = [one.sealed for one in client.secrets if one.is_alive(now)]
        return tuple(str(self._box.open(sealed)) for sealed in alive if sealed is not None)

    def published(self, client: RegisteredClient, now: datetime) -> tuple[Key, ...]:
        """Every public key of the client, whatever for. May fetch, as ``to_verify``."""
        if client.metadata.jwks_uri is not None:
            return self._sets.at(client.metadata.jwks_uri, now)
        return () if client.metadata.jwks is None else self._parsed(client)

    def _parsed(self, client: RegisteredClient) -> tuple[Key, ...]:
        revision, keys = self._registered.get(client.id, (None, ()))
        if revision != client.revision:
            if len(self._registered) >= MAX_REMEMBERED:
                self._registered.clear()
            keys = usable_keys(client.metadata.jwks)
            self._registered[client.id] = (client.revision, keys)
        return keys


_VERIFYING: Final = ("sig", frozenset({"verify"}))
_ENCRYPTING: Final = ("enc", frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"}))

_SAME: Final = {"Ed25519": "EdDSA", "Ed448": "EdDSA"}
"""RFC 9864: the new names of what a key may still be labelled with by the old one."""


def _fits(
    key: Key, kinds: tuple[Kind, ...], algorithm: str, purpose: tuple[str, frozenset[str]]
) -> bool:
    """Is it of a kind for ``algorithm``, and is nothing else written on it?"""
    use, operations = purpose
    curve = key.get("crv")
    if not any(key.key_type == kty and (not any_of or curve in any_of) for kty, any_of in kinds):
        return False
    named: Any = key.get("key_ops")
    if named is not None and operations.isdisjoint(named):
        return False
    if key.get("use") not in (None, use):
        return False
    return key.alg is None or _SAME.get(key.alg, key.alg) == _SAME.get(algorithm, algorithm)
