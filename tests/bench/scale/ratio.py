"""How much dearer it is in one of two databases, and how well that is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Final

from tests.bench.turns import Cost

SURE: Final = 0.95


@dataclass(frozen=True)
class Ratio:
    """The median of what turn by turn came out, which is between ``low`` and ``high``.

    That is so in at least 95 of 100 measurements, however the turns may be distributed (an
    interval of order statistics); where there were too few of them it is their whole range.
    """

    middle: float
    low: float
    high: float


def ratio_of(small: Sequence[Cost], full: Sequence[Cost]) -> Ratio:
    """Each turn of one with the turn of the other beside it."""
    found = sorted(
        two.whole / one.whole for one, two in zip(small, full, strict=True) if one.whole
    ) or [1.0]
    outside = _outside(len(found))
    return Ratio(median(found), found[outside], found[-1 - outside])


def _outside(count: int) -> int:
    """How many of so many, at either end, the median is beyond in no more than 1 of 20 cases."""
    outside, beyond = 0, 0.0
    while outside < count // 2:
        beyond += comb(count, outside) / 2**count
        if 2 * beyond > 1 - SURE:
            break
        outside += 1
    return max(outside - 1, 0)


def middle_of(costs: Sequence[Cost]) -> Cost:
    """The medians."""
    return Cost(median(one.server for one in costs), median(one.database for one in costs))
