"""Making, replacing and retiring signing keys: publish, wait, sign, stop, remove."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc.jwk import Key
from sqlalchemy import insert, select, update

from idp import audit, state
from idp.audit import Context
from idp.config import Settings
from idp.models import SigningKey, db, reading
from idp.secrecy import Box
from idp.services import jose, stored_secrets
from idp.services.jose import ALGORITHMS
from idp.services.key_life import Life, State, life_of, signing_at
from idp.services.keys import SigningKeys

_RACE: Final = timedelta(days=1)
"""How long it is remembered that somebody has just made a key, so that two nodes make one."""


class CannotRetire(Exception):
    """Retiring this key is refused; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as it is listed; nothing in it is secret."""

    kid: str
    algorithm: str
    state: State
    published_at: datetime
    signs_from: datetime
    stops_at: datetime | None
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Successor:
    """The key that signs next, None where somebody else is making it; and was it news?"""

    kid: str | None
    is_news: bool


class KeyRotation:
    """Changes the set of keys. Every public operation commits once, at its end."""

    def __init__(
        self,
        settings: Settings,
        box: Box,
        keys: SigningKeys,
        *,
        make_key: Callable[[str], Key] = jose.make_key,
    ) -> None:
        self._settings = settings
        self._box = box
        self._keys = keys
        self._make_key = make_key

    def prepare(self, context: Context) -> tuple[str, ...]:
        """Before serving: see that every key opens, and make the first ones, which sign at once.

        What is kept for as long as the deployment is made or sealed anew along with them.
        Returns the kids of those it made. Raises ``KeysUnreadable``, having changed nothing.
        """
        self._keys.check(context.at)
        lives = _lives()
        stored_secrets.prepare(self._box, context.at)
        missing = [name for name in ALGORITHMS if signing_at(lives, name, context.at) is None]
        return self._commit(
            [self._make(name, context.at, context, beside=lives) for name in missing]
        )

    def rotate(
        self,
        context: Context,
        *,
        algorithms: Sequence[str] = ALGORITHMS,
        at_once: bool = False,
    ) -> tuple[str, ...]:
        """Publish a successor for each algorithm, to sign after ``key_publish_ahead``.

        Where a successor waits already, it is that one, and nothing is recorded. ``at_once`` is for
        a key that has leaked: the successor signs now, and relying parties meet a ``kid`` they have
        not fetched yet. What is kept for as long as the deployment is sealed anew, too: whoever
        takes an old deployment key away rotates first. Returns the successors' kids. Raises
        ``KeysUnreadable``.
        """
        self._keys.check(context.at)
        stored_secrets.prepare(self._box, context.at)
        found = {name: self._succeed(name, context, at_once=at_once) for name in algorithms}
        if changed := [name for name, successor in found.items() if successor.is_news]:
            audit.record("key.rotated", context, algorithms=changed, at_once=at_once)
        return self._commit([successor.kid for successor in found.values()])

    def rotate_due(self, context: Context) -> tuple[str, ...]:
        """Rotate the algorithms whose key will have signed for ``key_lifetime`` by then.

        Those whose successor waits already are left alone. Of several who come at once one rotates.
        """
        with reading():
            lives = _lives()
        horizon = context.at + self._settings.key_publish_ahead - self._settings.key_lifetime
        due = [
            name
            for name in ALGORITHMS
            if (life := signing_at(lives, name, context.at))
            and life.signs_from <= horizon
            and not _waiting(lives, name, context.at)
        ]
        return self.rotate(context, algorithms=due) if due else ()

    def retire(self, kid: str, context: Context, *, at_once: bool = False) -> None:
        """Stop signing with a key now. A successor that waits for its time signs from now on.

        It stays published until the last token it signed has expired; with ``at_once`` (it has
        leaked) it leaves the key set, and those tokens are worthless. Raises ``CannotRetire``.
        """
        now = context.at
        lives = _lives()
        life = next((one for one in lives if one.kid == kid), None)
        if life is None or not life.is_published(now, self._keys.keep):
            raise CannotRetire(f"There is no published key {kid}.")
        if life.may_sign(now):
            self._let_successor_sign(life, lives, now)
        self._stop(life, now, at_once=at_once)
        audit.record("key.retired", context, kid=kid, algorithm=life.algorithm, at_once=at_once)
        self._commit([])

    def sweep(self, now: datetime) -> int:
        """Wipe the private half of keys that have left the key set; returns how many."""
        with reading():
            lives = _lives()
        gone = [
            life.kid
            for life in lives
            if not life.is_published(now, self._keys.keep) and life.removed_at is None
        ]
        if gone:
            _change(gone, removed_at=now, private_jwk="")
        self._commit([])
        return len(gone)

    def listed(self, now: datetime) -> tuple[KeyInfo, ...]:
        """Every key there ever was, by algorithm, oldest first."""
        return tuple(
            KeyInfo(
                kid=life.kid,
                algorithm=life.algorithm,
                state=life.state(now, self._keys.keep),
                published_at=life.published_at,
                signs_from=life.signs_from,
                stops_at=life.stops_at,
                removed_at=life.removed_at,
            )
            for life in _lives()
        )

    def _succeed(self, algorithm: str, context: Context, *, at_once: bool) -> "_Successor":
        lives, now = _lives(), context.at
        current = signing_at(lives, algorithm, now)
        waiting = _waiting(lives, algorithm, now)
        starts = now if at_once or current is None else now + self._settings.key_publish_ahead
        if at_once and current is not None:
            _change([current.kid], retired_at=now)
        if not waiting:
            made = self._make(algorithm, starts, context, beside=lives)
            return _Successor(made, is_news=made is not None)
        successor = min(waiting, key=lambda life: life.signs_from)
        if at_once:
            _change([successor.kid], signs_from=now)
        return _Successor(successor.kid, is_news=at_once)

    def _make(
        self, algorithm: str, signs_from: datetime, context: Context, *, beside: Sequence[Life]
    ) -> str | None:
        """Insert a new key ``beside`` those there were when it was found that one is wanted.

        None when another node has made it since, or is making it at this very moment.
        """
        count = sum(life.algorithm == algorithm for life in beside)
        if not state.mark("key", f"{algorithm} {count}", now=context.at, lifetime=_RACE):
            return None
        key = self._make_key(algorithm)
        kid = str(key.kid)
        db.session.execute(
            insert(SigningKey).values(
                id=kid,
                algorithm=algorithm,
                public_jwk=key.as_dict(private=False),
                private_jwk=self._box.seal(key.as_dict(private=True)),
                published_at=context.at,
                signs_from=signs_from,
            )
        )
        audit.record("key.created", context, kid=kid, algorithm=algorithm)
        return kid

    def _let_successor_sign(self, life: Life, lives: Sequence[Life], now: datetime) -> None:
        others = [
            one
            for one in lives
            if one.algorithm == life.algorithm and one.may_sign(now) and one.kid != life.kid
        ]
        if not others:
            raise CannotRetire(
                f"{life.kid} is the only key that signs {life.algorithm}: rotate first."
            )
        if not any(one.signs_from <= now for one in others):
            heir = min(others, key=lambda one: one.signs_from)
            _change([heir.kid], signs_from=now)

    def _stop(self, life: Life, now: datetime, *, at_once: bool) -> None:
        never_signed = life.signs_from > now
        removed = {"removed_at": now, "private_jwk": ""} if at_once or never_signed else {}
        stopped = {"retired_at": now} if life.may_sign(now) else {}
        if removed or stopped:
            _change([life.kid], **removed, **stopped)

    def _commit(self, kids: Sequence[str | None]) -> tuple[str, ...]:
        db.session.commit()
        self._keys.forget()
        return tuple(kid for kid in kids if kid is not None)


def _lives() -> tuple[Life, ...]:
    rows = db.session.execute(
        select(
            SigningKey.id,
            SigningKey.algorithm,
            SigningKey.published_at,
            SigningKey.signs_from,
            SigningKey.retired_at,
            SigningKey.removed_at,
        ).order_by(SigningKey.algorithm, SigningKey.signs_from, SigningKey.id)
    ).all()
    return life_of(rows)


def _waiting(lives: Sequence[Life], algorithm: str, now: datetime) -> list[Life]:
    """Those that may sign and do not yet."""
    current = signing_at(lives, algorithm, now)
    return [
        life
        for life in lives
        if life.algorithm == algorithm and life.may_sign(now) and life is not current
    ]


def _change(kids: Sequence[str], **values: Any) -> None:
    db.session.execute(update(SigningKey).where(SigningKey.id.in_(kids)).values(**values))
