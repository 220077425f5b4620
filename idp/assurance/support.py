"""Support: the proofs that an assertion stands on."""

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations

from idp.assurance.evidence import Evidence, newest_by_traits, traits_of
from idp.assurance.ladder import MOST_PROOFS, Rung, holds


def relied_upon(rung: Rung, fresh: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The proofs to assert `rung` by, oldest first; empty when they do not reach it.

    The smallest set that does, with whatever else was proved in the same sign-in as one of them:
    that sign-in is one event, and is told whole. `fresh` is oldest first.
    """
    if len(fresh) == 1:  # as it mostly is: there is nothing to choose from
        return tuple(fresh) if holds(rung, traits_of(fresh)) else ()
    signed_in_by = {proof.transaction_id for proof in smallest(rung, fresh)}
    return tuple(proof for proof in fresh if proof.transaction_id in signed_in_by)


def smallest(rung: Rung, fresh: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The fewest proofs that reach `rung`; of equal sets, the one whose oldest proof is newest.

    `fresh` is oldest first, and so is the answer.
    """
    candidates = newest_by_traits(fresh)
    if not holds(rung, traits_of(candidates)):
        return ()
    return next(filter(None, (_best(rung, candidates, size) for size in _SIZES)))


_SIZES = range(1, MOST_PROOFS + 1)


def _best(rung: Rung, candidates: Sequence[Evidence], size: int) -> tuple[Evidence, ...]:
    reaching = (some for some in combinations(candidates, size) if holds(rung, traits_of(some)))
    return max(reaching, key=_times, default=())


def _times(proofs: Sequence[Evidence]) -> list[datetime]:
    # Oldest first: that one becomes `auth_time`, which should be as late as is true.
    return [proof.at for proof in proofs]
