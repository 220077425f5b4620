"""An answer that somebody gave, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

from idp.factors.base import Answer, Refused
from idp.frozen import made_often
from idp.models import User
from idp.services.sessions import Live
from idp.services.throttle import Wait
from idp.services.weighing import Known


def _nothing(_user_id: str) -> None:
    """Nobody asks about her."""


@made_often
@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer, with what is known of the browser it came from."""

    method: str
    answer: Answer
    presented: Live | None
    """The session this browser's cookie presents, whoever's it is."""
    device_token: str | None
    """The browser's claim to have signed this person in before; only throttling listens."""
    foresee: Callable[[str], None] = _nothing
    """Told the id of who is likely to be accepted, before the judgement, once it may be judged."""


@made_often
@dataclass(frozen=True, slots=True)
class Accepted:
    """The proof counts. ``session_token`` is the new cookie, where the session may be presented."""

    known: Known
    session_id: str
    session_token: str | None
    persistent: bool
    live: Live | None = None
    """The session, where it was begun with this proof and may be presented."""

    @property
    def user(self) -> User:
        return self.known.user


@dataclass(frozen=True, slots=True)
class Declined:
    """The answer was not accepted, or not now."""

    refused: Refused


Outcome = Accepted | Declined | Wait
