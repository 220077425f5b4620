"""A recovery code in place of what is lost, where a page of our own asks for that."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from idp.assurance import Challenge, Choice, Demand, Offer, Rung, Trait
from idp.services.holdings import Holdings
from idp.services.weighing import Standing, Weighing

BY_CODE: Final = "by_code"
"""In what a page asks for: the rung that it is content with once a code stood in."""

ANEW: Final = "anew"
"""There too: in this session a code changes nothing, for it holds a proof by what is asked for.
Signed in anew without that, she could use one."""

WHOSE: Final = "whose"
"""And of whom the two are said: another may take her place, and the page asks for the same."""


def said_of(standing: Standing) -> Mapping[str, Any]:
    """What the page asks for, where it was said of this person."""
    wanted: Mapping[str, Any] = standing.transaction.state.get("demand", {})
    is_hers = standing.user is not None and wanted.get(WHOSE) == standing.user.id
    return wanted if is_hers else {}


def only_anew(standing: Standing) -> bool:
    """Is something asked for that cannot be phished, and a code of use only after leaving?"""
    if ANEW not in said_of(standing) or not isinstance(standing.decision, Challenge):
        return False
    counting = standing.decision.reason.counting
    return not any(Trait.PHISHING_RESISTANT in proof.proves for proof in counting)


def with_codes(
    standing: Standing,
    *,
    holdings: Holdings,
    weighing: Weighing,
    weigh: Callable[[Demand], Standing],
) -> Standing:
    """The same, in which a code may be given, where the page says what it then comes to.

    Where none may, whatever only leads to the passkey that is asked for anyway is left out.

    ``weigh`` is asked where one was given. Only what is asked for depends on this: the guard of
    the page looks at the session itself.
    """
    wanted = said_of(standing)
    if not wanted or standing.live is None or not standing.is_step_up:
        return standing
    if standing.sets_up or not isinstance(standing.decision, Challenge):
        return standing
    if BY_CODE not in wanted:
        return _without_detours(standing, standing.decision)
    # By the method's name: she may have given the last that she had.
    if any(proof.method in holdings.last_resorts for proof in standing.live.evidence):
        return weigh(replace(standing.demand, floor=Rung[wanted[BY_CODE]]))
    offers = weighing.offers(standing.user)
    return _offering(standing, standing.decision, [one for one in offers if one.last_resort])


def _without_detours(standing: Standing, decision: Challenge) -> Standing:
    """A password before the passkey that would do alone gets nobody further who has lost that.

    The planner offers it all the same: beside it the passkey need not verify who holds it.
    """
    direct = {choice.method for choice in decision.choices if choice.steps == 1}
    if decision.reason.wanted < Rung.PHR or not direct:
        return standing
    leading = tuple(choice for choice in decision.choices if choice.method in direct)
    return replace(standing, decision=replace(decision, choices=leading))


def _offering(standing: Standing, decision: Challenge, codes: Iterable[Offer]) -> Standing:
    """Last, for each code spent is one fewer."""
    added = [
        Choice(one.method, "discouraged", steps=1, enrol=False, needs=one.proves)
        for one in codes
        if one.method not in standing.demand.refused and not standing.choice(one.method)
    ]
    return replace(standing, decision=replace(decision, choices=(*decision.choices, *added)))
