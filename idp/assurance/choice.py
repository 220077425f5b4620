"""Choices: what a person may be asked for next, the best first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from idp.assurance.demand import Demand
from idp.assurance.evidence import Evidence, traits_of
from idp.assurance.ladder import Rung, highest, holds
from idp.assurance.plan import Plan, Step, first_steps
from idp.assurance.trait import Trait, Traits

UserVerification = Literal["required", "preferred", "discouraged"]
"""The WebAuthn option of that name (L3, 5.8.6)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One method to go on with."""

    method: str
    user_verification: UserVerification
    steps: int
    """How many proofs this way takes in all, this one included."""
    enrol: bool
    """It is to be set up, not used."""
    needs: Traits
    """What the proof must show to be of use: admit only credentials that can show it."""


def choices(
    routes: Sequence[Plan], demand: Demand, ledger: Sequence[Evidence]
) -> tuple[Choice, ...]:
    """The first steps of `routes`, one for each method, the best first."""
    proved = traits_of(demand.fresh(demand.wanted, ledger))
    opened = holds(Rung.ONE_FACTOR, proved)
    beginnings = [(plan, step) for plan in routes for step in first_steps(plan, opened=opened)]
    best: dict[str, Choice] = {}
    for plan, step in sorted(beginnings, key=lambda each: _rank(each[0], each[1], proved)):
        best.setdefault(step.offer.method, _choice(plan, step))
    return tuple(best.values())


def _rank(plan: Plan, step: Step, proved: Sequence[Traits]) -> tuple[bool, int, int, float]:
    """Sorts the best first: fewest steps, then the stronger, then the one used last.

    Whatever spends a last resort comes after all that. Equals stay as the caller offered them.
    """
    at_best = highest([*proved, *(each.offer.proves for each in plan)])
    used = step.offer.last_used
    return (
        any(each.offer.last_resort for each in plan),
        len(plan),
        -(at_best or 0),
        -used.timestamp() if used else 0.0,
    )


def _choice(plan: Plan, step: Step) -> Choice:
    return Choice(
        method=step.offer.method,
        user_verification=_user_verification(step),
        steps=len(plan),
        enrol=not step.offer.enrolled,
        needs=step.needs,
    )


def _user_verification(step: Step) -> UserVerification:
    if Trait.USER_VERIFICATION in step.needs:
        return "required"
    # Not needed; but where it costs no more than a touch, it may save the next step-up.
    return "preferred" if Trait.USER_VERIFICATION in step.offer.proves else "discouraged"
