"""What the shop remembers between requests, in this process: nothing of it goes into a cookie."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from flask import session

LIFETIME: Final = 8 * 3600
"""Seconds."""


class Memory:
    """Values that are forgotten after a while; also what Authlib calls a cache."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,  # noqa: TID251  a program of its own
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._values: dict[str, tuple[float, Any]] = {}

    def get(self, key: str) -> Any:
        """The value, or None."""
        until, value = self._values.get(key, (0.0, None))
        return value if until > self._clock() else None

    def set(self, key: str, value: Any, seconds: float = LIFETIME) -> None:
        """Remember ``value`` for ``seconds``; what is over goes."""
        now = self._clock()
        with self._lock:
            self._values = {k: v for k, v in self._values.items() if v[0] > now}
            self._values[key] = (now + seconds, value)

    def delete(self, key: str) -> None:
        """Forget it."""
        with self._lock:
            self._values.pop(key, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a sign-in should be: any of ``acr_values``, the first one liked best; at most
    ``max_age`` seconds old; having confirmed ``details`` (RFC 9396)."""

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    details: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An authorization request that went out at ``at`` (seconds since 1970), and what for.

    ``sub`` is who has to come back; None: anybody.
    """

    purpose: str
    at: float
    sub: str | None
    wish: Wish


@dataclass(slots=True, kw_only=True)
class SignedIn:
    """``claims`` are the verified ID token's, ``token`` is the whole token response."""

    claims: dict[str, Any]
    token: dict[str, Any]
    userinfo: dict[str, Any]
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def sub(self) -> str:
        """The subject identifier: who it is."""
        return str(self.claims["sub"])


@dataclass(frozen=True, slots=True)
class Typed:
    """What the person with the subject identifier ``sub`` wrote to send money, until it is sent."""

    sub: str
    payee: str
    amount: str


@dataclass(slots=True)
class Visitor:
    """One browser. ``asked`` has the requests under way, by their ``state``."""

    asked: dict[str, Asked] = field(default_factory=dict)
    signed_in: SignedIn | None = None
    transfer: dict[str, str] | None = None
    """What the ledger will be asked for again, once the person comes back."""
    typed: Typed | None = None
    wrong: str | None = None
    """Why the ledger did not send it, still to be said."""
    order: str = field(default_factory=lambda: f"{2000 + secrets.randbelow(8000)}")
    """Its number."""
    confirmation: dict[str, Any] | None = None
    """The order as the ID token had it, confirmed."""
    notice: str | None = None


class Visitors:
    """Finds the visitor by the random id in the signed cookie."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def current(self) -> Visitor:
        """This request's visitor; a new one where the browser is not known."""
        found = self._memory.get(f"visitor {session.get('visitor')}")
        if not isinstance(found, Visitor):
            return self.renew(Visitor())
        if found.signed_in and self._is_over(found.signed_in):
            return self.renew(Visitor(notice="You were signed out elsewhere, and so here too."))
        return found

    def end(self, *, sid: str | None, sub: str | None, at: float) -> None:
        """The provider says that a session is over; without ``sid``, all of this person's are."""
        self._memory.set(f"over sid {sid}" if sid else f"over sub {sub}", at)

    def _is_over(self, signed_in: SignedIn) -> bool:
        if self._memory.get(f"over sid {signed_in.claims.get('sid')}") is not None:
            return True
        at = self._memory.get(f"over sub {signed_in.sub}")
        return at is not None and signed_in.claims["iat"] <= at

    def renew(self, visitor: Visitor) -> Visitor:
        """Give ``visitor`` another id: who knew the one from before the sign-in has nothing."""
        self._memory.delete(f"visitor {session.get('visitor')}")
        session["visitor"] = secrets.token_urlsafe(24)
        self._memory.set(f"visitor {session['visitor']}", visitor)
        return visitor
