"""Plans: sets of further proofs, each of them needed, that together reach a rung."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

from idp.assurance.ladder import MOST_PROOFS, Rung, holds
from idp.assurance.offer import Offer
from idp.assurance.trait import Trait, Traits, opens


@dataclass(frozen=True, slots=True)
class Step:
    """One proof to be asked for, and the traits it must show to be of use."""

    offer: Offer
    needs: Traits


Plan = tuple[Step, ...]


def completions(
    rung: Rung, proved: Sequence[Traits], offers: Sequence[Offer], *, verify_user: bool = False
) -> list[Plan]:
    """Every smallest set of offers that lifts `proved` to `rung`, the shortest first.

    Smallest: with any proof of it left out, or any trait that a proof needs left unshown, the
    rung would not be reached. Polynomial, for no set has more than MOST_PROOFS members.
    """
    return list(_completions(rung, tuple(proved), tuple(offers), verify_user))


@lru_cache(maxsize=256)  # every sign-in begins with the same question: what might anybody show?
def _completions(
    rung: Rung, proved: tuple[Traits, ...], offers: tuple[Offer, ...], verify_user: bool
) -> tuple[Plan, ...]:
    steps = [step for offer in offers for step in _ways_to_ask(offer, verify_user=verify_user)]
    found: list[Plan] = []
    for size in range(1, MOST_PROOFS + 1):
        for plan in combinations(steps, size):
            # Weaker ways to ask come first among `steps`, so whatever makes this plan more than
            # is needed has been found before it.
            if not any(_covers(plan, less) for less in found) and _reaches(rung, proved, plan):
                found.append(plan)
    return tuple(_slimmed(rung, proved, plan, verify_user=verify_user) for plan in found)


def ways(rung: Rung, offers: Sequence[Offer]) -> tuple[tuple[str, ...], ...]:
    """The methods of each smallest set of `offers` that reaches `rung` out of nothing.

    In each, what opens a session comes first. The shortest come first, then those of the offers
    that do; none holds another.
    """
    found = dict.fromkeys(map(_methods, completions(rung, (), offers)))
    return tuple(one for one in found if not any(set(less) < set(one) for less in found))


def _methods(plan: Plan) -> tuple[str, ...]:
    return tuple(step.offer.method for step in sorted(plan, key=_opens_last))


def _opens_last(step: Step) -> bool:
    return not opens(step.offer.proves)


def first_steps(plan: Plan, *, opened: bool) -> list[Step]:
    """The steps of `plan` that may be taken first.

    A proof that opens a session goes before one that does not, unless one has been given: a code
    without a name beside it is a guess at everybody's. And what she has goes before what she is
    to enrol, for enrolling stands on it.
    """
    standing = [step for step in plan if step.offer.enrolled] or list(plan)
    return [step for step in standing if opened or opens(step.offer.proves)] or standing


def shown_by(plan: Plan) -> list[Traits]:
    """What the steps of `plan` show at the least."""
    return [step.needs for step in plan]


def _ways_to_ask(offer: Offer, *, verify_user: bool) -> Iterator[Step]:
    if Trait.USER_VERIFICATION in offer.proves and not verify_user:
        yield Step(offer, offer.proves - {Trait.USER_VERIFICATION})
    yield Step(offer, offer.proves)


def _reaches(rung: Rung, proved: Sequence[Traits], plan: Plan) -> bool:
    return holds(rung, [*proved, *shown_by(plan)])


def _covers(plan: Plan, less: Plan) -> bool:
    return all(
        any(step.offer is small.offer and step.needs >= small.needs for step in plan)
        for small in less
    )


_DEAREST_FIRST = (
    Trait.HARDWARE_PROTECTED,
    Trait.PHISHING_RESISTANT,
    Trait.USER_VERIFICATION,
    Trait.MAILBOX,
    Trait.POSSESSION,
    Trait.KNOWLEDGE,
)


def _slimmed(rung: Rung, proved: Sequence[Traits], plan: Plan, *, verify_user: bool) -> Plan:
    """`plan`, each step asking only for the traits that the rung is not reached without.

    So a ceremony can admit every authenticator that will do, and none that will not.
    """
    steps = list(plan)
    kept = {Trait.USER_VERIFICATION} if verify_user else set()
    for place, trait in ((p, t) for p in range(len(plan)) for t in _DEAREST_FIRST if t not in kept):
        lighter = steps.copy()
        lighter[place] = replace(steps[place], needs=steps[place].needs - {trait})
        if _reaches(rung, proved, tuple(lighter)):
            steps = lighter
    return tuple(steps)
