"""Reasons: why somebody is asked for more, in values that a page can put into words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from idp.assurance.demand import Demand
from idp.assurance.evidence import Evidence, newest_by_method, traits_of
from idp.assurance.ladder import Rung, holds


@dataclass(frozen=True, slots=True)
class Reason:
    """What is wanted, and what there is: "a password three hours ago; a second factor wanted".

    The newest proof of each method, oldest first.
    """

    wanted: Rung
    """The lowest rung that would do."""
    since: datetime | None
    """Proofs from before this instant are too old for it. None: age is no matter."""
    counting: tuple[Evidence, ...]
    """What has been proved and counts."""
    stale: tuple[Evidence, ...]
    """What was proved too long ago, or in another sign-in than the one it is wanted in."""

    @property
    def only_age_is_wanting(self) -> bool:
        """Would the same proofs do if they were younger?"""
        return holds(self.wanted, traits_of((*self.counting, *self.stale)))


def reason_for(demand: Demand, ledger: Sequence[Evidence]) -> Reason:
    """Why `ledger`, oldest first, falls short of `demand`."""
    rung = demand.wanted
    counting = newest_by_method(demand.fresh(rung, ledger))
    spoken_for = demand.refused.union(proof.method for proof in counting)
    return Reason(
        wanted=rung,
        since=demand.cutoff(rung),
        counting=counting,
        stale=newest_by_method([proof for proof in ledger if proof.method not in spoken_for]),
    )
