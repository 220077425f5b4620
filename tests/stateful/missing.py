"""How much is still to be proved, and whether what was asked for was part of it."""

from dataclasses import dataclass

from tests.stateful.browsing import Attempt
from tests.stateful.proofs import Shows, fewest_further, reaches
from tests.stateful.town import Resident
from tests.stateful.wants import Wanted


@dataclass(frozen=True)
class Missing:
    """``proofs`` is how many more it takes at the least, out of what she has."""

    proofs: int
    without_last_resort: bool
    """Can it be done without spending a recovery code?"""


def missing_for(wanted: Wanted, who: Resident, fresh: list[Shows]) -> Missing | None:
    """None where nothing that she has leads there, so that something is to be set up."""
    floor = who.account_floor
    lowest = min(level for _, level in wanted.targets(floor))
    could = who.could_show(refused=wanted.policy.refused)
    if not wanted.insists and not reaches(lowest, [*fresh, *could]):
        lowest = wanted.floor(floor)
    proofs = fewest_further(lowest, fresh, could)
    daily = who.could_show(refused=wanted.policy.refused | {"recovery_code"})
    if proofs is None:
        return None
    return Missing(proofs, fewest_further(lowest, fresh, daily) is not None)


def check_was_missing(attempt: Attempt, before: Missing, after: Missing | None) -> None:
    """What the page asked for first was one of the fewest steps, and no recovery code."""
    assert before.proofs, "asked though nothing was missing"
    spent = attempt.method == "recovery_code"
    assert not (spent and before.without_last_resort), "a recovery code was asked for first"
    if attempt.accepted and not attempt.sets_up:
        assert after is not None
        assert after.proofs == before.proofs - 1, f"{attempt.method} was not what was missing"
