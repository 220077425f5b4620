"""What holds for any evidence and any demand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from idp.assurance import (
    Challenge,
    Choice,
    Decision,
    Demand,
    Evidence,
    Offer,
    Rung,
    Satisfied,
    Trait,
    Traits,
    Unmet,
    canonical_name,
    decide,
)
from tests.assurance import strategies as some
from tests.assurance.builders import said

# Many small examples: a decision is cheap, and its corners are many. What it is made of takes
# longer to think of, so each of them is tried with all that has to hold.
thorough = settings(max_examples=400, deadline=None)


@dataclass(frozen=True)
class Case:
    """Somebody who is asked for something, and what may come of that."""

    demand: Demand
    ledger: list[Evidence]
    person: list[Offer]
    another: Evidence
    more: dict[str, Any]
    shuffled: list[Evidence]

    def decision(self, *, alone: bool = False) -> Decision:
        """``alone`` by what she has shown, whatever she has."""
        return decide(self.demand, self.ledger, () if alone else self.person)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ledger = draw(some.ledgers)
    return Case(
        demand=draw(some.demands()),
        ledger=ledger,
        person=draw(some.people),
        another=draw(some.proofs()),
        more=draw(some.tightenings()),
        shuffled=draw(st.permutations(ledger)),
    )


# The rules once more, in other words than the code has for them.


def supports(rung: Rung, proofs: Sequence[Evidence]) -> bool:
    """Do these proofs reach `rung`? Straight from its definition."""
    shown = {trait for proof in proofs for trait in proof.proves}
    kinds = len(shown & {Trait.KNOWLEDGE, Trait.POSSESSION, Trait.USER_VERIFICATION})
    phishing_resistant = [p for p in proofs if Trait.PHISHING_RESISTANT in p.proves]
    mailbox_and_more = Trait.MAILBOX in shown and Trait.POSSESSION in shown
    opened = Trait.KNOWLEDGE in shown or Trait.MAILBOX in shown or bool(phishing_resistant)
    in_hardware = any(Trait.HARDWARE_PROTECTED in p.proves for p in phishing_resistant)
    return (
        opened
        and {
            Rung.ONE_FACTOR: True,
            Rung.SECOND_STEP: kinds > 1 or mailbox_and_more,
            Rung.MFA: kinds > 1,
            Rung.PHR: kinds > 1 and bool(phishing_resistant),
            Rung.PHRH: kinds > 1 and in_hardware,
        }[rung]
    )


def is_fresh(demand: Demand, rung: Rung, proof: Evidence) -> bool:
    """May this proof count towards `rung`?"""
    limits = [demand.since] + [demand.rung_since.get(Rung(r)) for r in range(1, rung + 1)]
    return (
        all(limit is None or proof.at >= limit for limit in limits)
        and proof.method not in demand.refused
        and demand.within in {None, proof.transaction_id}
    )


def fresh(demand: Demand, rung: Rung, ledger: Sequence[Evidence]) -> list[Evidence]:
    return [proof for proof in ledger if is_fresh(demand, rung, proof)]


def what_is_asserted_is_supported_by_the_ledger(case: Case) -> None:
    demand, decision = case.demand, case.decision()
    if not isinstance(decision, Satisfied):
        return
    assert all(proof in case.ledger for proof in decision.evidence)
    assert all(is_fresh(demand, decision.rung, proof) for proof in decision.evidence)
    assert supports(decision.rung, decision.evidence)
    assert decision.rung >= demand.floor
    named = {acr.name for acr in demand.acceptable if acr.rung <= decision.rung}
    assert decision.acr in named or decision.acr == canonical_name(decision.rung)


def amr_names_exactly_what_was_relied_on(case: Case) -> None:
    decision = case.decision(alone=True)
    if not isinstance(decision, Satisfied):
        return
    relied_on = {value for proof in decision.evidence for value in proof.amr}
    kinds = {trait for proof in decision.evidence for trait in proof.proves} & {
        Trait.KNOWLEDGE,
        Trait.POSSESSION,
        Trait.USER_VERIFICATION,
    }
    assert set(decision.amr) == relied_on | ({"mfa"} if len(kinds) > 1 else set())
    assert len(decision.amr) == len(set(decision.amr))


def auth_time_is_that_of_the_stalest_proof_and_never_before_since(case: Case) -> None:
    demand, decision = case.demand, case.decision(alone=True)
    if isinstance(decision, Satisfied):
        assert decision.auth_time == min(proof.at for proof in decision.evidence)
        assert demand.since is None or decision.auth_time >= demand.since


def the_first_acceptable_that_holds_is_answered_or_else_the_highest(case: Case) -> None:
    demand, ledger, decision = case.demand, case.ledger, case.decision(alone=True)
    wished = [Rung(max(acr.rung, demand.floor)) for acr in demand.acceptable]
    wished = [rung for rung in wished if supports(rung, fresh(demand, rung, ledger))]
    anything = [
        rung
        for rung in reversed(Rung)
        if rung >= demand.floor and supports(rung, fresh(demand, rung, ledger))
    ]
    unasked = [] if demand.acceptable and demand.necessary else anything[:1]
    expected = wished[:1] or unasked
    assert [decision.rung] == expected if isinstance(decision, Satisfied) else not expected


def adding_evidence_never_lowers_what_can_be_asserted(case: Case) -> None:
    demand, before = case.demand, case.decision()
    after = decide(demand, [*case.ledger, case.another], case.person)
    if not isinstance(before, Satisfied):
        return
    assert not isinstance(after, Unmet)
    if demand.acceptable and before.acr in [acr.name for acr in demand.acceptable]:
        names = [acr.name for acr in demand.acceptable]
        assert isinstance(after, Satisfied)
        assert names.index(after.acr) <= names.index(before.acr)
    elif isinstance(after, Satisfied) and not demand.acceptable:
        assert after.rung >= before.rung


def the_ledger_may_be_read_in_any_order(case: Case) -> None:
    assert decide(case.demand, case.shuffled, case.person) == case.decision()


def effort(decision: Decision) -> tuple[int, int]:
    """How much is left to do: nothing; so many steps; enrolling; or it cannot be done."""
    match decision:
        case Satisfied():
            return 0, 0
        case Challenge(choices=choices):
            return 1, min(choice.steps for choice in choices)
        case Unmet():
            return 2, 0


def a_smaller_demand_never_needs_a_larger_step(case: Case) -> None:
    # Of what somebody has, and of what must be: a wish that is out of reach for the larger demand
    # costs nothing there, and may still be worth a step for the smaller one.
    necessary = replace(case.demand, necessary=True, enrol_within=None)
    larger = necessary.raised(**case.more)
    before, after = (decide(one, case.ledger, case.person) for one in (necessary, larger))
    assert effort(before) <= effort(after)


def a_wish_never_fails_what_would_do_without_it(case: Case) -> None:
    wish = replace(case.demand, necessary=False)
    if isinstance(decide(wish, case.ledger, case.person), Unmet):
        assert isinstance(decide(wish.without_wish(), case.ledger, case.person), Unmet)


def what_is_asked_for_is_missing(case: Case) -> None:
    demand, decision = case.demand, case.decision()
    if not isinstance(decision, Challenge):
        return
    methods = [choice.method for choice in decision.choices]
    assert methods, said(decision)
    assert len(methods) == len(set(methods))
    assert all(choice.needs and choice.steps > 0 for choice in decision.choices)
    assert {choice.method for choice in decision.choices if choice.enrol}.isdisjoint(demand.refused)
    if demand.enrol_within is None:
        assert demand.refused.isdisjoint(methods)
        assert not any(choice.enrol for choice in decision.choices)


def nobody_enrols_on_less_than_she_can_prove_in_this_sign_in(case: Case) -> None:
    decision = case.decision()
    if not (isinstance(decision, Challenge) and any(choice.enrol for choice in decision.choices)):
        return
    now = [proof for proof in case.ledger if proof.transaction_id == "now"]
    hers = [
        Evidence(o.method, None, o.proves, (), some.NOW, "now") for o in case.person if o.enrolled
    ]
    assert all(supports(rung, now) for rung in Rung if supports(rung, hers))
    assert supports(Rung.ONE_FACTOR, now)


PROPERTIES: Final[Sequence[Callable[[Case], None]]] = (
    what_is_asserted_is_supported_by_the_ledger,
    amr_names_exactly_what_was_relied_on,
    auth_time_is_that_of_the_stalest_proof_and_never_before_since,
    the_first_acceptable_that_holds_is_answered_or_else_the_highest,
    adding_evidence_never_lowers_what_can_be_asserted,
    the_ledger_may_be_read_in_any_order,
    a_smaller_demand_never_needs_a_larger_step,
    a_wish_never_fails_what_would_do_without_it,
    what_is_asked_for_is_missing,
    nobody_enrols_on_less_than_she_can_prove_in_this_sign_in,
)


@thorough
@given(cases())
def test_whatever_is_asked_of_whomever_these_hold(case: Case) -> None:
    for holds in PROPERTIES:
        holds(case)


# Following a choice: somebody gives the proof that it asks for, and the decision is made again.


class Somebody:
    """Answers challenges, giving each time what the choice promises and perhaps more."""

    def __init__(self, demand: Demand, ledger: list[Evidence], person: list[Offer]) -> None:
        self.demand, self.ledger, self.person = demand, list(ledger), list(person)

    def decision(self) -> Decision:
        return decide(self.demand, self.ledger, self.person)

    def able(self, choice: Choice) -> list[Offer]:
        """Her credentials that will do for `choice`."""
        return [
            offer
            for offer in self.person
            if (offer.method, not offer.enrolled) == (choice.method, choice.enrol)
            and offer.proves >= choice.needs
        ]

    def follow(self, choice: Choice, offer: Offer, shows: Traits) -> None:
        when: datetime = some.NOW + timedelta(minutes=len(self.ledger))
        self.ledger.append(Evidence(choice.method, None, shows, ("x",), when, "now"))
        self.person = [replace(o, enrolled=True) if o is offer else o for o in self.person]


def shown_at_least(choice: Choice, offer: Offer) -> Traits:
    """What a ceremony is sure to show when it does not verify without need."""
    if choice.user_verification == "required":
        return offer.proves
    return offer.proves - {Trait.USER_VERIFICATION}


def following_any_choice_leads_to_the_end(case: Case, data: st.DataObject) -> None:
    person = case.person
    somebody = Somebody(case.demand, case.ledger, person)
    before = somebody.decision()
    if isinstance(before, Unmet):
        return
    for _ in range(2 * len(person) + 1):
        if not isinstance(before, Challenge):
            break
        choice = data.draw(st.sampled_from(before.choices))
        offer = data.draw(st.sampled_from(somebody.able(choice)))
        least = shown_at_least(choice, offer)
        shows = data.draw(st.sampled_from([choice.needs, least, offer.proves]))
        somebody.follow(choice, offer, shows)
        after = somebody.decision()
        assert not isinstance(after, Unmet), "a step was asked for in vain"
        before = after
    assert isinstance(before, Satisfied), "it did not end"


def a_choice_takes_no_more_steps_than_it_says(case: Case, data: st.DataObject) -> None:
    somebody = Somebody(replace(case.demand, enrol_within=None), case.ledger, case.person)
    before = somebody.decision()
    if not isinstance(before, Challenge):
        return
    choice = data.draw(st.sampled_from(before.choices))
    offer = data.draw(st.sampled_from(somebody.able(choice)))
    somebody.follow(choice, offer, choice.needs)
    assert effort(somebody.decision()) <= (1, choice.steps - 1)


@thorough
@given(cases(), st.data())
def test_whatever_is_chosen_leads_to_the_end_and_no_slower_than_was_said(
    case: Case, data: st.DataObject
) -> None:
    following_any_choice_leads_to_the_end(case, data)
    a_choice_takes_no_more_steps_than_it_says(case, data)
