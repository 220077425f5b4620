"""Routes: the plans open to one person for one demand, enrolling included."""

from collections.abc import Sequence

from idp.assurance.demand import Demand
from idp.assurance.evidence import Evidence, traits_of
from idp.assurance.floor import enrolment_demand
from idp.assurance.ladder import holds
from idp.assurance.offer import Offer, enrolled_of
from idp.assurance.plan import Plan, completions
from idp.assurance.trait import Traits


def routes(demand: Demand, ledger: Sequence[Evidence], offers: Sequence[Offer]) -> list[Plan]:
    """Every way to meet `demand` that asks for nothing superfluous.

    Enrolling is a way only where nothing enrolled leads there, and never for a wish: nobody is
    made to buy a key for what the relying party can do without.
    """
    by_what_she_has = _completing(demand, ledger, enrolled_of(offers))
    if by_what_she_has or demand.wish or demand.enrol_within is None:
        return by_what_she_has
    return _by_enrolling(demand, demand.enrol_within, ledger, offers)


def _completing(
    demand: Demand,
    ledger: Sequence[Evidence],
    offers: Sequence[Offer],
    *,
    besides: Sequence[Traits] = (),
) -> list[Plan]:
    proved = [*traits_of(demand.fresh(demand.wanted, ledger)), *besides]
    accepted = [offer for offer in offers if offer.method not in demand.refused]
    return completions(demand.wanted, proved, accepted, verify_user=demand.verify_user)


def _by_enrolling(
    demand: Demand, transaction_id: str, ledger: Sequence[Evidence], offers: Sequence[Offer]
) -> list[Plan]:
    """First what enrolling stands on, where that is not proved yet; then the rest."""
    ground = enrolment_demand(offers, within=transaction_id)
    if holds(ground.wanted, traits_of(ground.fresh(ground.wanted, ledger))):
        return _completing(demand, ledger, offers)
    return [
        (*standing, *rest)
        for standing in _completing(ground, ledger, enrolled_of(offers))
        for rest in _completing(demand, ledger, offers, besides=_counted(demand, standing))
    ]


def _counted(demand: Demand, plan: Plan) -> list[Traits]:
    # Enrolling may stand on a proof that the client refuses; the demand itself may not.
    return [step.needs for step in plan if step.offer.method not in demand.refused]
