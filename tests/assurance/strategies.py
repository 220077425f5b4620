"""Any ledger, any demand, any person: what the property tests draw from."""

from datetime import datetime, timedelta

from hypothesis import strategies as st

from idp.assurance import Acr, Demand, Evidence, Offer, Rung, Trait, ladder_names
from tests.assurance.builders import ALIASES, WAYS, at, offers

BEGIN = at("08:00")
NOW = at("12:00")
"""When a demand is made; all evidence is older, or belongs to the sign-in "now"."""

SIGN_INS = ("first", "second", "third", "now")
METHODS = sorted({method for method, _ in WAYS.values()})

instants: st.SearchStrategy[datetime] = st.integers(0, 8).map(
    lambda half_hours: BEGIN + timedelta(minutes=30 * half_hours)
)


@st.composite
def proofs(draw: st.DrawFn) -> Evidence:
    """A proof from the table, at one of few instants, so that ties are common."""
    way = draw(st.sampled_from(sorted(WAYS)))
    method, shown = WAYS[way]
    sign_in = draw(st.sampled_from(SIGN_INS))
    when = NOW if sign_in == "now" else draw(instants)
    return Evidence(method, f"{way}-1", shown.proves, shown.amr, when, sign_in)


@st.composite
def odd_proofs(draw: st.DrawFn) -> Evidence:
    """A proof of any traits whatever, as a factor that nobody has thought of might show."""
    traits = draw(st.frozensets(st.sampled_from(Trait), min_size=1))
    return Evidence("odd", None, traits, ("odd",), draw(instants), draw(st.sampled_from(SIGN_INS)))


ledgers = st.lists(proofs(), max_size=7)
odd_ledgers = st.lists(odd_proofs(), max_size=7)

acrs = st.builds(
    Acr, st.sampled_from([*ladder_names(), *ALIASES]), st.sampled_from([1, 3, 4, 5]).map(Rung)
)

ages = st.dictionaries(st.sampled_from(Rung), instants, max_size=2)


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    """Anything that may be asked, wishes and refusals and enrolling included."""
    return Demand(
        acceptable=tuple(draw(st.lists(acrs, max_size=3))),
        since=draw(st.none() | instants),
        necessary=draw(st.booleans()),
        floor=draw(st.sampled_from(Rung)),
        rung_since=draw(st.just({}) | ages),
        refused=draw(st.frozensets(st.sampled_from(METHODS), max_size=2)),
        within=draw(st.sampled_from([None, None, "now"])),
        enrol_within=draw(st.sampled_from([None, "now"])),
        verify_user=draw(st.booleans()),
    )


@st.composite
def tightenings(draw: st.DrawFn) -> dict[str, object]:
    """Arguments for `Demand.raised`."""
    return {
        "floor": draw(st.sampled_from(Rung)),
        "since": draw(st.none() | instants),
        "rung_since": draw(ages),
        "refused": draw(st.frozensets(st.sampled_from(METHODS), max_size=1)),
        "within": draw(st.sampled_from([None, "now"])),
    }


people: st.SearchStrategy[list[Offer]] = st.lists(
    st.tuples(st.sampled_from(["", "", "+"]), st.sampled_from(sorted(WAYS))), max_size=6
).map(lambda ways: offers(*(mark + way for mark, way in ways)))
"""What somebody has, or could enrol; keys of several sorts among it."""
