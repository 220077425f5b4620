"""Looking at the newest of each kind of proof finds what looking at all of them finds."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from idp.assurance import Demand, Evidence, Rung, Satisfied, decide
from idp.assurance.evidence import in_order, newest_by_traits, traits_of
from idp.assurance.ladder import MOST_PROOFS, holds
from idp.assurance.support import relied_upon, smallest
from tests.assurance import strategies as some
from tests.assurance.builders import WAYS, ledger

thorough = settings(max_examples=250, deadline=None)


def every_set(proofs: Sequence[Evidence]) -> Iterator[tuple[Evidence, ...]]:
    for size in range(1, len(proofs) + 1):
        yield from combinations(proofs, size)


def worth(proofs: Sequence[Evidence]) -> tuple[int, datetime]:
    """Fewer is better, and then the one whose oldest is newer."""
    return -len(proofs), min(proof.at for proof in proofs)


def best_by_brute_force(rung: Rung, proofs: Sequence[Evidence]) -> list[tuple[Evidence, ...]]:
    reaching = [each for each in every_set(proofs) if holds(rung, traits_of(each))]
    best = max(map(worth, reaching), default=None)
    return [each for each in reaching if worth(each) == best]


@thorough
@given(st.sampled_from(Rung), some.ledgers | some.odd_ledgers)
def test_what_is_relied_upon_is_the_smallest_set_with_its_sign_ins(
    rung: Rung, proofs: list[Evidence]
) -> None:
    ordered = in_order(proofs)
    best = best_by_brute_force(rung, ordered)
    found = smallest(rung, ordered)
    assert found in best if best else found == ()
    allowed = []
    for each in best:
        sign_ins = {proof.transaction_id for proof in each}
        allowed.append(tuple(proof for proof in ordered if proof.transaction_id in sign_ins))
    used = relied_upon(rung, ordered)
    assert used in allowed if allowed else used == ()
    keeps_the_newest_of_each(proofs)


def keeps_the_newest_of_each(proofs: list[Evidence]) -> None:
    kept = newest_by_traits(in_order(proofs))
    assert len(kept) == len({proof.proves for proof in proofs})
    for proof in proofs:
        assert any(other.proves == proof.proves and other.at >= proof.at for other in kept)


@thorough
@given(st.sampled_from(Rung), st.lists(some.odd_proofs(), max_size=9))
def test_no_rung_takes_more_proofs_than_we_look_for(rung: Rung, proofs: list[Evidence]) -> None:
    # Whatever reaches a rung contains a set of MOST_PROOFS that does.
    if holds(rung, traits_of(proofs)):
        subsets = combinations(proofs, min(MOST_PROOFS, len(proofs)))
        assert any(holds(rung, traits_of(each)) for each in subsets)


def test_a_long_session_is_weighed_by_its_kinds_of_proof_not_by_its_length() -> None:
    long = [
        Evidence(*_named(way), at=proof.at + timedelta(minutes=minute), transaction_id=str(minute))
        for proof in ledger("password@08:00")
        for minute, way in enumerate(sorted(WAYS) * 6)
    ]
    kinds = {shown.proves for _, shown in WAYS.values()}
    assert len(newest_by_traits(in_order(long))) == len(kinds)
    decision = decide(Demand(), long, ())
    assert isinstance(decision, Satisfied)
    assert decision.rung is Rung.PHRH


def _named(way: str) -> tuple[str, None, frozenset, tuple[str, ...]]:
    method, shown = WAYS[way]
    return method, None, shown.proves, shown.amr
