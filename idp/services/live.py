"""A session as it is looked at, and what its ledger holds."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from idp.assurance import Evidence, Trait
from idp.factors.base import Proof
from idp.frozen import made_often


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of one client along with a session: so it need not be asked for by itself."""

    client_id: str
    revision: int | None
    """None: there is no such client."""
    allowed: str | None
    """The scopes that the session's person has allowed it; None: it was never allowed anything."""


@made_often
@dataclass(frozen=True, slots=True)
class Live:
    """A session that may be relied on now, with the evidence that it holds."""

    id: str
    user_id: str
    email: str
    name: str | None
    role: str | None
    has_second_step: bool
    opened: bool
    """May a cookie present it? Not before its person has met the account's own floor."""
    persistent: bool
    last_seen_at: datetime
    evidence: tuple[Evidence, ...]
    at: datetime | None = None
    """When it was looked at."""
    seen: Seen | None = None

    def by_now(self) -> tuple[Evidence, ...]:
        """The evidence, none of it later than this look.

        What a node whose clock is ahead wrote down lies in the future. It is older than anything
        that begins now, which may ask for a proof from now on.
        """
        latest = self.at - timedelta.resolution if self.at else None
        return tuple(
            replace(one, at=latest) if latest and self.at and one.at > self.at else one
            for one in self.evidence
        )


def shown_by(proof: Proof, *, method: str, transaction_id: str, now: datetime) -> Evidence:
    """What the ledger holds of a proof."""
    return Evidence(
        method=method,
        credential_id=proof.credential_id,
        proves=proof.proves,
        amr=proof.amr,
        at=now,
        transaction_id=transaction_id,
    )


def evidence_of(row: Any) -> Evidence:
    """A row of the ledger as a value."""
    return Evidence(
        method=row.method,
        credential_id=row.credential_id,
        proves=_traits(row.proves),
        amr=tuple(row.amr.split()),
        at=row.at,
        transaction_id=row.transaction_id,
    )


@lru_cache(maxsize=256)  # few sets are ever shown, and each is read again and again
def _traits(names: str) -> frozenset[Trait]:
    return frozenset(Trait(name) for name in names.split())
