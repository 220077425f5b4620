"""The decision: is it enough, and if not, what to ask for next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from idp.assurance.choice import Choice, choices
from idp.assurance.demand import Demand
from idp.assurance.evidence import Evidence, in_order, traits_of
from idp.assurance.ladder import Rung, reached_by
from idp.assurance.offer import Offer
from idp.assurance.proofs import amr_of
from idp.assurance.reason import Reason, reason_for
from idp.assurance.route import routes
from idp.assurance.support import relied_upon
from idp.frozen import made_often


@made_often
@dataclass(frozen=True, slots=True)
class Satisfied:
    """Enough was proved. What a token may say of it, and the proofs that it says it by."""

    acr: str
    rung: Rung
    """The rung that was tested and holds; a floor may have set it above what `acr` names."""
    amr: tuple[str, ...]
    auth_time: datetime
    """When the oldest of `evidence` was given: no combination is fresher than its stalest part."""
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Challenge:
    """More is to be proved: by any one of `choices`, the best first, one for each method."""

    choices: tuple[Choice, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Unmet:
    """It cannot be reached, and to ask for anything would be in vain.

    `unknown_acr`: every value in the request is foreign to us. `out_of_reach`: nothing that the
    person has, or may enrol on this occasion, leads there.
    """

    reason: Literal["unknown_acr", "out_of_reach"]


Decision = Satisfied | Challenge | Unmet


def decide(demand: Demand, evidence: Iterable[Evidence], offers: Iterable[Offer]) -> Decision:
    """Weigh the ledger against the demand. Pure: the same arguments give the same decision.

    `evidence` is all of one browser session, in any order. `offers` is what its person could
    prove next, and is not looked at when the evidence suffices, so it may be a lazy iterable.
    """
    ledger = in_order(evidence)
    satisfied = _satisfied(demand, ledger)
    return satisfied or _unsatisfied(demand, ledger, tuple(offers))


def _satisfied(demand: Demand, ledger: Sequence[Evidence]) -> Satisfied | None:
    reached = reached_by(traits_of(ledger))
    for target in demand.targets:
        if target.rung not in reached:
            continue  # what the whole ledger does not reach, no part of it does
        if proofs := relied_upon(target.rung, demand.fresh(target.rung, ledger)):
            return Satisfied(target.name, target.rung, amr_of(proofs), proofs[0].at, proofs)
    return None


def _unsatisfied(demand: Demand, ledger: Sequence[Evidence], offers: Sequence[Offer]) -> Decision:
    if ways := routes(demand, ledger, offers):
        return Challenge(choices(ways, demand, ledger), reason_for(demand, ledger))
    if demand.wish:
        # OIDC Core 5.5.1.1: a wish that cannot be granted does not fail the sign-in. The floors,
        # which are no wishes, still have to hold, and the answer says what is true.
        return decide(demand.without_wish(), ledger, offers)
    return Unmet("out_of_reach")
