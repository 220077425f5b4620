"""Floors: what an account asks of its own person, whatever a relying party is content with."""

from collections.abc import Iterable

from idp.assurance.demand import Demand
from idp.assurance.ladder import Rung, highest, holds
from idp.assurance.offer import Offer, enrolled_of


def account_floor(offers: Iterable[Offer]) -> Rung:
    """SECOND_STEP for a person who has enrolled one, else ONE_FACTOR.

    Recovery codes stand in for a second step and are none: whoever has only codes left is not
    made to spend them. And only what she can reach is asked: a single security key that verifies
    nobody is no reason to lock its owner out.
    """
    daily = [offer.proves for offer in enrolled_of(offers) if not offer.last_resort]
    return Rung.SECOND_STEP if holds(Rung.SECOND_STEP, daily) else Rung.ONE_FACTOR


def enrolment_demand(offers: Iterable[Offer], *, within: str) -> Demand:
    """What must be proved, in the transaction `within`, before a new factor is enrolled.

    The strongest that this person can prove already. With less, a stolen password could mint a
    passkey on an account that a second factor was to protect; and with older proofs a session
    left open could. A client's refusals do not enter: this demand is our own.
    """
    strongest = highest([offer.proves for offer in enrolled_of(offers)])
    return Demand(floor=strongest or Rung.ONE_FACTOR, within=within)
