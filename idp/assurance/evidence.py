"""Evidence: the ledger of what was proved, by what, when, and in which sign-in."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from idp.assurance.trait import Traits
from idp.frozen import made_often


@made_often
@dataclass(frozen=True, slots=True)
class Evidence:
    """One proof that happened. Never changed and never taken back.

    `at` is an aware instant. `amr` are the RFC 8176 values of this proof alone, so never `mfa`.
    """

    method: str
    credential_id: str | None
    proves: Traits
    amr: tuple[str, ...]
    at: datetime
    transaction_id: str


def in_order(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Oldest first. Ties are broken by content, so a ledger read in any order decides alike."""
    return sorted(evidence, key=_when)


def traits_of(evidence: Iterable[Evidence]) -> list[Traits]:
    """What each proof shows."""
    return [proof.proves for proof in evidence]


def newest_by_traits(ordered: Sequence[Evidence]) -> list[Evidence]:
    """The newest proof of each distinct set of traits, oldest first: all that matters.

    In any set of proofs one may be replaced by a newer one that shows the same: the set reaches
    the same rung, is no larger, and its oldest member is no older. So nothing else can be in the
    best set, and a session of fifty proofs costs no more than one of five.
    """
    return _newest(ordered, attrgetter("proves"))


def newest_by_method(ordered: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The newest proof by each method, oldest first."""
    return tuple(_newest(ordered, attrgetter("method")))


def _newest(ordered: Sequence[Evidence], key: Callable[[Evidence], Hashable]) -> list[Evidence]:
    newest: dict[Hashable, Evidence] = {}
    for proof in reversed(ordered):
        newest.setdefault(key(proof), proof)
    return list(reversed(newest.values()))


def _when(proof: Evidence) -> tuple[datetime, str, str, str]:
    return proof.at, proof.transaction_id, proof.method, proof.credential_id or ""
