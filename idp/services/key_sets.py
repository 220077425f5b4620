"""Sets of public keys that clients publish: read with care, fetched seldom, kept for a while."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from joserfc.util import to_bytes, urlsafe_b64decode

from idp.models.base import release
from idp.protocol.json_values import Json, parse_json, thaw
from idp.protocol.metadata_readers import MAX_KEYS
from idp.services.fetch import Fetcher
from idp.services.unfetchable import NotAsked, Unfetchable

_log = logging.getLogger(__name__)

FRESH: Final = timedelta(minutes=5)
"""How long a fetched set is used without a question."""

KEPT: Final = timedelta(hours=1)
"""How long it is used while it cannot be fetched anew."""

ASK_AGAIN: Final = timedelta(seconds=10)
"""How long nothing is fetched again, whatever a token says its key is called."""

LONGEST_WAIT: Final = timedelta(minutes=5)
"""What the wait after failures grows to; it doubles with each."""

TURN: Final = 0.3
"""Seconds to wait for somebody else who is fetching the same set."""

MAX_SETS: Final = 2000

_RSA_BITS: Final = range(2048, 8193)
"""RFC 7518 section 3.3 asks for 2048; far above that, verifying is work that others make us do."""

_EXPONENT_BITS: Final = 64
"""An ``e`` as long as ``n`` makes a verification cost what a signature does; none has to be."""

_KINDS: Final = ("RSA", "EC", "OKP")

_AGREEING: Final[Mapping[str, Any]] = {"X25519": X25519PrivateKey, "X448": X448PrivateKey}


def usable_keys(key_set: Json) -> tuple[Key, ...]:
    """The keys of a JWK Set that can be used at all; others are passed over (RFC 7517 section 5).

    Only public halves come out, of asymmetric keys. Raises ``ValueError`` when it is no key set.
    """
    keys = key_set.get("keys") if isinstance(key_set, Mapping) else None
    if not isinstance(keys, tuple):
        raise ValueError("not a JWK Set")
    found = (_usable(one) for one in keys[:MAX_KEYS])
    return tuple(key for key in found if key is not None)


def _usable(value: Json) -> Key | None:
    try:
        members = cast("dict[str, Any]", thaw(value))
        if members["kty"] not in _KINDS or not _is_strong(members):
            return None
        # Whoever publishes a private key is not helped by our holding it.
        key = JWKRegistry.import_key(JWKRegistry.import_key(members).as_dict(private=False))
        _try_to_agree(key)
        return key
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, OverflowError):
        return None


def _is_strong(members: Mapping[str, Any]) -> bool:
    """Looked at first, because the library only warns."""
    if members["kty"] != "RSA":
        return True
    n, e = (int.from_bytes(urlsafe_b64decode(to_bytes(members[name]))) for name in ("n", "e"))
    # The product of two primes is odd; to encrypt for another one is an error.
    return n.bit_length() in _RSA_BITS and n % 2 == 1 and e.bit_length() <= _EXPONENT_BITS


def _try_to_agree(key: Key) -> None:
    """RFC 7748 section 6: with a point of small order there is nothing to agree on.

    Raises ``ValueError``, here instead of when something has to be encrypted for it.
    """
    other = _AGREEING.get(str(key.get("crv")))
    if other is not None:
        other.generate().exchange(key.raw_value)


class _Source:
    """What is known of one address."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.keys: tuple[Key, ...] = ()
        self.fetched_at: datetime | None = None
        self.tried_at: datetime | None = None
        self.failures = 0
        self.problem: str | None = None

    def is_due(self, now: datetime, after: timedelta) -> bool:
        """Has it become old, and was the last try long enough ago?"""
        wait = min(ASK_AGAIN * 2**self.failures, LONGEST_WAIT)
        return _is_past(self.fetched_at, after, now) and _is_past(self.tried_at, wait, now)

    def succeeded(self, keys: tuple[Key, ...], now: datetime) -> None:
        self.keys, self.fetched_at, self.failures = keys, now, 0
        self.problem = None if keys else "no key in the answer can be used"

    def failed(self, problem: str) -> None:
        self.problem = problem
        self.failures = min(self.failures + 1, 8)


class KeySets:
    """Fetches key sets, each for itself, and one at a time from each address.

    However many tokens come, from one address at most one set is fetched in ``ASK_AGAIN``, and
    while that fails the wait doubles.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._sources: dict[str, _Source] = {}

    def at(self, url: str, now: datetime) -> tuple[Key, ...]:
        """The keys published at ``url``; none where there are none, or it cannot be reached.

        Ends the caller's transaction, which must have read only, when it has to fetch.
        """
        return self._keys(url, now, FRESH)

    def anew_at(self, url: str, now: datetime) -> tuple[Key, ...]:
        """The same for somebody who missed a key in what ``at`` returned (OIDC Core 10.1.1)."""
        return self._keys(url, now, ASK_AGAIN)

    def problem(self, url: str) -> str | None:
        """What was the matter when ``url`` was asked last; None when nothing was."""
        source = self._sources.get(url)
        return source.problem if source else None

    def _keys(self, url: str, now: datetime, after: timedelta) -> tuple[Key, ...]:
        source = self._source(url)
        if source.is_due(now, after):
            release()  # nothing slow inside a transaction
            self._fetch_once(source, url, now, after)
        return () if _is_past(source.fetched_at, KEPT, now) else source.keys

    def _fetch_once(self, source: _Source, url: str, now: datetime, after: timedelta) -> None:
        """Whoever finds somebody else at it waits a moment, and makes do with what there is then.

        Longer, and one address that never answers would have every thread wait.
        """
        if not source.lock.acquire(timeout=TURN):
            return
        try:
            if source.is_due(now, after):  # and nobody else did it meanwhile
                self._fetch(source, url, now)
        finally:
            source.lock.release()

    def _fetch(self, source: _Source, url: str, now: datetime) -> None:
        try:
            answer = self._fetcher.get(url, accept="application/jwk-set+json, application/json")
            source.succeeded(usable_keys(parse_json(answer.body.decode())), now)
        except NotAsked as error:
            source.problem = str(error)  # others' doing, which must not make the wait grow
        except Unfetchable as error:
            source.failed(str(error))
        except ValueError:
            source.failed("the answer is no JWK Set")
        finally:
            if source.problem is not None:
                _log.info("keys at %s: %s", url.partition("?")[0], source.problem)
            source.tried_at = now  # last: until then, whoever finds it due waits for the lock

    def _source(self, url: str) -> _Source:
        if len(self._sources) >= MAX_SETS and url not in self._sources:
            self._sources.clear()
        return self._sources.setdefault(url, _Source())


def _is_past(at: datetime | None, after: timedelta, now: datetime) -> bool:
    # abs: a clock that is set back must not keep an old set alive.
    return at is None or abs(now - at) >= after
