"""What one authorization request wants, and what has to be true of whatever answers it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tests.stateful.proofs import HIGHEST_FIRST, LEVELS, NAMES, Answer, Proved, answers_at


@dataclass(frozen=True)
class Policy:
    """One client's registration, as the model sees it."""

    minimum: int = 1
    max_age: int | None = None
    wishes_only: bool = False
    refused: frozenset[str] = frozenset()
    sets_up: bool = True


@dataclass
class Wanted:
    """A request that an application sent; it takes one answer to it."""

    client: str
    policy: Policy
    parameters: Mapping[str, Any]
    at: datetime
    subject: str | None = None
    answered: bool = False
    cancelled: bool = False

    @property
    def names(self) -> list[str]:
        """The ``acr`` values that count, known or not."""
        return list(self._essential or self.parameters.get("acr_values") or self._wished)

    @property
    def _claim(self) -> Mapping[str, Any]:
        claim: Mapping[str, Any] = self.parameters.get("acr_claim") or {}
        return claim

    @property
    def _essential(self) -> list[str]:
        return list(self._claim.get("values", ())) if self._claim.get("essential") else []

    @property
    def _wished(self) -> list[str]:
        return [] if self._claim.get("essential") else list(self._claim.get("values", ()))

    @property
    def known(self) -> list[str]:
        """Those of them that mean something here."""
        return [name for name in self.names if name in LEVELS]

    @property
    def insists(self) -> bool:
        """Does the request fail where its ``acr`` values cannot be had?"""
        if self._essential:
            return True
        return bool(self.parameters.get("acr_values")) and not self.policy.wishes_only

    @property
    def silent(self) -> bool:
        return self.parameters.get("prompt") == "none"

    @property
    def confirms(self) -> bool:
        return "authorization_details" in self.parameters

    def since(self, started: datetime) -> datetime | None:
        """Proofs from before are too old, for a sign-in that started then."""
        ages = [self.parameters.get("max_age"), self.policy.max_age]
        if self.parameters.get("prompt") == "login":
            ages.append(0)
        known = [age for age in ages if age is not None]
        return started - timedelta(seconds=min(known)) if known else None

    def floor(self, account: int) -> int:
        """The least that has to be reached, whatever it is called."""
        confirmation = 4 if self.confirms else 1
        return max(self.policy.minimum, account, confirmation)

    def fresh(
        self, proofs: Sequence[Proved], *, started: datetime, sign_in: str | None
    ) -> list[Proved]:
        """Those that count."""
        since = self.since(started)
        return [
            one
            for one in proofs
            if (since is None or one.at >= since)
            and one.method not in self.policy.refused
            and (not self.confirms or one.sign_in == sign_in)
        ]

    def targets(self, account: int) -> list[tuple[str, int]]:
        """Names with the level that each takes, the most wanted first."""
        floor = self.floor(account)
        if self.known:
            return [(name, max(LEVELS[name], floor)) for name in self.known]
        return self.unasked(account)

    def unasked(self, account: int) -> list[tuple[str, int]]:
        """The same where nothing is asked for by name."""
        return [(NAMES[one], one) for one in HIGHEST_FIRST if one >= self.floor(account)]

    def answers(
        self, proofs: Sequence[Proved], *, account: int, started: datetime, sign_in: str | None
    ) -> set[Answer]:
        """All that may be answered; empty where more has to be proved."""
        fresh = self.fresh(proofs, started=started, sign_in=sign_in)
        for name, level in self.targets(account):
            if found := answers_at(name, level, fresh):
                return found
        return set()

    def lesser_answers(
        self, proofs: Sequence[Proved], *, account: int, started: datetime, sign_in: str | None
    ) -> set[Answer]:
        """What may be answered to a wish that cannot be granted."""
        fresh = self.fresh(proofs, started=started, sign_in=sign_in)
        for name, level in self.unasked(account):
            if found := answers_at(name, level, fresh):
                return found
        return set()

    def regardless_of_age(self) -> "Wanted":
        """The same, of proofs of any age."""
        ageless = {
            name: value
            for name, value in self.parameters.items()
            if name != "max_age" and (name, value) != ("prompt", "login")
        }
        return replace(self, parameters=ageless, policy=replace(self.policy, max_age=None))
