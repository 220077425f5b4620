"""The provider's signing keys in use: which one signs, which are published, who signed this."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from idp.config import Settings
from idp.models import SigningKey, db
from idp.models.plain import Plain, PlainRow
from idp.protocol.json_values import Json
from idp.secrecy import Box, Unreadable
from idp.services import jose
from idp.services.jose import InvalidToken, Pinned
from idp.services.key_life import Life, life_of, signing_at

REFRESH_AFTER: Final = timedelta(seconds=3)
"""How long this process may not notice a rotation that another one made."""

STALE_FOR: Final = timedelta(minutes=5)
"""How long the key set is given out while the database does not answer."""

UNKNOWN_KID_AFTER: Final = timedelta(seconds=1)
"""The same for a key that a token names and nobody here has heard of."""

_ROWS = Plain(
    select(
        SigningKey.id,
        SigningKey.algorithm,
        SigningKey.public_jwk,
        SigningKey.private_jwk,
        SigningKey.published_at,
        SigningKey.signs_from,
        SigningKey.retired_at,
        SigningKey.removed_at,
    ).order_by(SigningKey.algorithm, SigningKey.signs_from, SigningKey.id)
)


class KeysUnreadable(Exception):
    """The stored keys were sealed by a deployment key that is not configured."""

    def __init__(self) -> None:
        super().__init__(
            "The keys in the database cannot be read with the configured deployment keys. "
            "Put the key that sealed them back into IDP_KEYS (or the keys file), after the new one."
        )


class NoSigningKey(Exception):
    """There is no key of this algorithm: ``key_rotation.prepare`` has not been run."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The published keys as a document (RFC 7517 section 5) and its entity tag."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Snapshot:
    at: datetime
    lives: tuple[Life, ...]
    keys: Mapping[str, Pinned]
    key_set: KeySet


class SigningKeys:
    """What is signed and verified here, from a snapshot that is at most some seconds old.

    Keys are parsed once in a process. Reading the snapshot anew is one statement in whatever
    transaction the caller has; between times there is none.
    """

    def __init__(self, settings: Settings, box: Box) -> None:
        self._box = box
        self.keep = kept_after(settings)
        self._snapshot: _Snapshot | None = None
        self._parsed: dict[str, Pinned] = {}

    def sign(
        self,
        claims: Mapping[str, Any],
        *,
        algorithm: str,
        now: datetime,
        typ: str = "JWT",
        comes_back: bool = False,
    ) -> str:
        """A compact JWS by the key of ``algorithm`` that signs at ``now``.

        What ``comes_back`` is known again here. Raises ``NoSigningKey``, ``KeysUnreadable``.
        """
        snapshot = self._current(now)
        life = signing_at(snapshot.lives, algorithm, now)
        if life is None:
            raise NoSigningKey(algorithm)
        key = snapshot.keys[life.kid]
        token = jose.sign(claims, key=key, kid=life.kid, typ=typ)
        if comes_back:
            key.signatures.remember(token)
        return token

    def verify(self, token: str, *, typ: str, now: datetime) -> Mapping[str, Json]:
        """The claims of a JWT that one of the published keys signed; its times are not checked.

        Raises ``InvalidToken`` as ``signed`` does, and where it makes no claims.
        """
        return jose.claims_of(self.signed(token, typ=typ, now=now))

    def signed(self, token: str, *, typ: str, now: datetime) -> str:
        """The payload of a JWT that one of the published keys signed, as it stands in it.

        Raises ``InvalidToken`` also when it is of another type (RFC 8725 section 3.11).
        """
        presented = jose.read(token)
        if presented.typ.lower() != typ.lower():
            raise InvalidToken("another type of token")
        key = self._published(presented.kid, now)
        return jose.verify(presented, key=key)

    def key_set(self, now: datetime) -> KeySet:
        """What relying parties fetch.

        While the database does not answer it is what this process read last, for as long as
        everybody else may keep it, too.
        """
        try:
            return self._current(now).key_set
        except DBAPIError:
            last = self._snapshot
            if last is None or abs(now - last.at) > STALE_FOR:
                raise
            db.session.rollback()
            return last.key_set

    def known_key_set(self, now: datetime) -> KeySet | None:
        """The same, without a look into the database; None where one is due."""
        snapshot = self._snapshot
        return snapshot.key_set if snapshot and _is_fresh(snapshot, now) else None

    def ready(self, now: datetime) -> None:
        """Look into the database now, if a look is due: what signs next need not."""
        self._current(now)

    def forget(self) -> None:
        """Read the keys anew at the next use: something was just changed here."""
        self._snapshot = None

    def check(self, now: datetime) -> None:
        """Raise ``KeysUnreadable`` when a stored key cannot be opened."""
        self.forget()
        self._current(now)

    def _published(self, kid: str, now: datetime) -> Pinned:
        snapshot = self._current(now)
        if kid not in snapshot.keys:
            snapshot = self._current(now, UNKNOWN_KID_AFTER)
        for life in snapshot.lives:
            if life.kid == kid and life.is_published(now, self.keep):
                return snapshot.keys[kid]
        raise InvalidToken("signed by a key that is not published")

    def _current(self, now: datetime, tolerance: timedelta = REFRESH_AFTER) -> _Snapshot:
        snapshot = self._snapshot
        if snapshot is None or not _is_fresh(snapshot, now, tolerance):
            snapshot = self._snapshot = self._read(now)
        return snapshot

    def _read(self, now: datetime) -> _Snapshot:
        rows = _ROWS.all({})
        lives = life_of(rows)
        # Of a key that is gone nothing is kept, nor of what it signed.
        in_use = self._parsed = {row.id: self._parse(row) for row in rows if row.private_jwk}
        published = [life for life in lives if life.is_published(now, self.keep)]
        return _Snapshot(now, lives, in_use, _document(rows, {life.kid for life in published}))

    def _parse(self, row: PlainRow) -> Pinned:
        key = self._parsed.get(row.id)
        if key is None:
            try:
                private = self._box.open(row.private_jwk)
            except Unreadable:
                raise KeysUnreadable from None
            key = Pinned(jose.reopened(private), row.algorithm)
        return key


def _is_fresh(snapshot: _Snapshot, now: datetime, tolerance: timedelta = REFRESH_AFTER) -> bool:
    # abs: a clock that is set back must not keep an old snapshot alive.
    return abs(now - snapshot.at) < tolerance


def kept_after(settings: Settings) -> timedelta:
    """How long a key stays published once it has stopped signing.

    Until the last token that it signed has expired, and the publication time on top, for nodes
    whose clocks disagree and tokens that were signed under a longer lifetime.
    """
    longest = max(settings.access_token_lifetime, settings.id_token_lifetime)
    return longest + settings.key_publish_ahead


def _document(rows: Sequence[PlainRow], published: set[str]) -> KeySet:
    keys = [row.public_jwk for row in rows if row.id in published]
    body = json.dumps({"keys": keys}, separators=(",", ":"), sort_keys=True).encode()
    return KeySet(body, hashlib.sha256(body).hexdigest()[:32])
