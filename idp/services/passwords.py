"""Passwords on their way into an account without a sign-in step: judged, then hashed."""

from collections.abc import Iterable, Sequence

from idp.config import Settings
from idp.factors.password import is_the_one, words_about
from idp.models import Credential, User
from idp.passwords import Hasher, problem, requirement_for
from idp.services.invalid import Invalid


class Passwords:
    """The rules for a person, and the hasher."""

    def __init__(self, settings: Settings, hasher: Hasher) -> None:
        self._settings = settings
        self._hasher = hasher

    def problem(self, password: str, user: User, kinds: Iterable[str] = ()) -> str | None:
        """Why it will not do for this person, as a sentence.

        ``user`` need not be stored; ``kinds`` are those of the other credentials.
        """
        words = words_about(user, self._settings)
        return problem(password, requirement_for(kinds), words=words)

    def check(self, password: str, user: User, kinds: Iterable[str] = (), *, field: str) -> None:
        """Raises ``Invalid``, naming ``field``, when it will not do."""
        wrong = self.problem(password, user, kinds)
        if wrong is not None:
            raise Invalid({field: wrong})

    def is_the_one(self, password: str, credentials: Sequence[Credential]) -> bool:
        """Is it what somebody with these has already? As slow as ``hash``, and called as that."""
        return is_the_one(password, credentials, self._hasher)

    def hash(self, password: str) -> str:
        """Slow: call it with no database transaction open."""
        return self._hasher.hash(password)
