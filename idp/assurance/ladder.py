"""The ladder: how strong a sign-in is, as predicates over what its proofs show."""

from collections.abc import Callable, Collection, Mapping
from enum import IntEnum
from functools import lru_cache

from idp.assurance.trait import Trait, Traits, opens, two_kinds


class Rung(IntEnum):
    """A strength of sign-in, weakest first. Each rung implies those below it."""

    ONE_FACTOR = 1
    SECOND_STEP = 2
    """What an account with a second step asks of its owner. Never advertised as an `acr`."""
    MFA = 3
    PHR = 4
    PHRH = 5


_HARDWARE_KEY: Traits = frozenset({Trait.PHISHING_RESISTANT, Trait.HARDWARE_PROTECTED})


def _one_factor(proofs: Collection[Traits]) -> bool:
    return any(map(opens, proofs))


def _second_step(proofs: Collection[Traits]) -> bool:
    # Somebody without a password signs in by mailed link and is asked for her code beside it. That
    # makes a second step and still no `mfa`, for the mailbox is none of the kinds.
    shown: Traits = frozenset().union(*proofs)
    return two_kinds(proofs) or {Trait.MAILBOX, Trait.POSSESSION} <= shown


def _phishing_resistant(proofs: Collection[Traits]) -> bool:
    return any(Trait.PHISHING_RESISTANT in proof for proof in proofs)


def _hardware_protected(proofs: Collection[Traits]) -> bool:
    # The phishing-resistant proof must itself be the hardware-protected one (EAP ACR Values
    # 1.0): a synced passkey beside some other hardware is no `phrh`.
    return any(proof >= _HARDWARE_KEY for proof in proofs)


_ADDS: Mapping[Rung, Callable[[Collection[Traits]], bool]] = {
    Rung.ONE_FACTOR: _one_factor,
    Rung.SECOND_STEP: _second_step,
    Rung.MFA: two_kinds,
    Rung.PHR: _phishing_resistant,
    Rung.PHRH: _hardware_protected,
}
"""What each rung asks for beyond the rungs below it."""

MOST_PROOFS = 3
"""No rung takes more proofs than this: one that opens (for the upper two, the phishing-resistant
one, which opens as well) and one for each of two kinds."""


def holds(rung: Rung, proofs: Collection[Traits]) -> bool:
    """Do these proofs together reach `rung`? Tested, never walked: one proof may reach the top."""
    return rung in reached_by(proofs)


def reached_by(proofs: Collection[Traits]) -> frozenset[Rung]:
    """Every rung that these proofs reach together."""
    return _held(tuple(proofs))


def highest(proofs: Collection[Traits]) -> Rung | None:
    """The highest rung that these proofs reach together, or None when they open nothing."""
    return max(reached_by(proofs), default=None)


@lru_cache(maxsize=4096)  # the same few proofs are asked about all the time
def _held(proofs: tuple[Traits, ...]) -> frozenset[Rung]:
    """Every rung that these proofs reach."""
    return frozenset(
        rung for rung in Rung if all(_ADDS[step](proofs) for step in Rung if step <= rung)
    )
