"""What somebody could prove: with what she has, and with what she could set up."""

from collections.abc import Sequence

from idp.assurance import Offer
from idp.factors.base import Factor


def beside(held: Sequence[Offer], new: Sequence[Offer]) -> tuple[Offer, ...]:
    """What she has, and what she could set up beside it that shows what none of it does."""
    more = (one for one in new if not any(one.proves <= other.proves for other in held))
    return (*held, *more)


def new_offers(factor: Factor) -> tuple[Offer, ...]:
    """What somebody could show with this factor if she set it up now."""
    most = [offer.proves for offer in factor.offers(None, ())] or [factor.can_prove]
    return tuple(Offer(factor.name, proves, enrolled=False) for proves in most)
