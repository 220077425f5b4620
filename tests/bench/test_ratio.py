"""The ratio of two series of turns, and how far it can be trusted."""

import pytest

from tests.bench.scale.ratio import middle_of, ratio_of
from tests.bench.turns import Cost

NOISY = [Cost(1.0 + turn, 0.5) for turn in range(12)]
"""As dear as a busy machine makes it, turn by turn."""


def times(factor: float, costs: list[Cost]) -> list[Cost]:
    return [Cost(one.server * factor, one.database * factor) for one in costs]


def test_what_slows_both_down_does_not_show() -> None:
    ratio = ratio_of(NOISY, times(1.2, NOISY))
    assert (ratio.low, ratio.middle, ratio.high) == pytest.approx((1.2, 1.2, 1.2))


def test_one_bad_turn_moves_neither_the_median_nor_its_bounds() -> None:
    full = times(1.2, NOISY)
    full[5] = Cost(1000.0, 0.0)
    ratio = ratio_of(NOISY, full)
    assert (ratio.low, ratio.middle, ratio.high) == pytest.approx((1.2, 1.2, 1.2))


# Of twelve independent values, fewer than three are below the median, or above it, in 4 of 100
# cases: 2 * (1 + 12 + 66) / 2**12.
BOUNDS = {12: (3.0, 10.0), 6: (1.0, 6.0), 5: (1.0, 5.0), 1: (1.0, 1.0)}


@pytest.mark.parametrize("turns", BOUNDS)
def test_bounds_are_as_far_apart_as_so_few_turns_allow(turns: int) -> None:
    small = [Cost(1.0, 0.0)] * turns
    full = [Cost(float(turn), 0.0) for turn in range(turns, 0, -1)]
    ratio = ratio_of(small, full)
    assert (ratio.low, ratio.high) == BOUNDS[turns]
    assert ratio.middle == (turns + 1) / 2


def test_the_middle_is_of_server_and_database_apart() -> None:
    assert middle_of([Cost(1, 9), Cost(2, 2), Cost(9, 1)]) == Cost(2, 2)
