"""Demands, and putting two of them together."""

import pytest

from idp.assurance import Acr, Demand, Rung
from tests.assurance.builders import at, wants


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        pytest.param(
            wants(floor=Rung.MFA),
            {"floor": Rung.SECOND_STEP},
            wants(floor=Rung.MFA),
            id="higher",
        ),
        pytest.param(
            wants(), {"floor": Rung.PHR}, wants(floor=Rung.PHR), id="a floor where there was none"
        ),
        pytest.param(
            wants(since="10:00"), {"since": at("11:00")}, wants(since="11:00"), id="later instant"
        ),
        pytest.param(
            wants(since="11:00"), {"since": at("10:00")}, wants(since="11:00"), id="not the earlier"
        ),
        pytest.param(wants(since="11:00"), {}, wants(since="11:00"), id="nothing adds nothing"),
        pytest.param(
            wants(rung_since={Rung.MFA: "10:00", Rung.PHR: "12:00"}),
            {"rung_since": {Rung.MFA: at("11:00"), Rung.PHR: at("11:00"), Rung.PHRH: at("09:00")}},
            wants(rung_since={Rung.MFA: "11:00", Rung.PHR: "12:00", Rung.PHRH: "09:00"}),
            id="later instants rung by rung",
        ),
        pytest.param(
            wants(refused="totp"),
            {"refused": frozenset({"magic_link"})},
            wants(refused="totp magic_link"),
            id="both refusals",
        ),
        pytest.param(wants(), {"within": "now"}, wants(within="now"), id="bound to a transaction"),
        pytest.param(
            wants(within="now"), {"within": "now"}, wants(within="now"), id="bound to it twice"
        ),
        pytest.param(
            wants(), {"verify_user": True}, wants(verify_user=True), id="verification required"
        ),
    ],
)
def test_raising_only_ever_tightens(
    one: Demand, other: dict[str, object], together: Demand
) -> None:
    assert one.raised(**other) == together  # type: ignore[arg-type]


def test_a_demand_cannot_be_bound_to_two_transactions() -> None:
    with pytest.raises(ValueError, match="another transaction"):
        wants(within="now").raised(within="later")


def test_raising_keeps_what_was_asked_for() -> None:
    asked = wants("phr", "2", enrol=True)
    assert asked.raised(floor=Rung.MFA).acceptable == asked.acceptable
    assert asked.raised(floor=Rung.MFA).enrol_within == "now"


def test_a_floor_raises_what_was_asked_for_and_leaves_its_name() -> None:
    demand = wants("phrh", "2", "urn:idp:acr:1fa", floor=Rung.PHR)
    assert demand.targets == (
        Acr("phrh", Rung.PHRH),
        Acr("2", Rung.PHR),
        Acr("urn:idp:acr:1fa", Rung.PHR),
    )
    assert demand.wanted is Rung.PHR


def test_with_nothing_asked_every_rung_from_the_floor_up_is_tried_from_the_top() -> None:
    assert [target.rung for target in wants(floor=Rung.SECOND_STEP).targets] == [
        Rung.PHRH,
        Rung.PHR,
        Rung.MFA,
        Rung.SECOND_STEP,
    ]


@pytest.mark.parametrize(
    ("demand", "left"),
    [
        pytest.param(
            wants("phr", voluntary=True, since="10:00", floor=Rung.MFA),
            wants(since="10:00", floor=Rung.MFA),
            id="a wish is dropped, floor and age stay",
        ),
        pytest.param(wants("phr"), wants("phr"), id="what is necessary stays"),
        pytest.param(wants(), wants(), id="nothing asked, nothing dropped"),
    ],
)
def test_without_its_wish(demand: Demand, left: Demand) -> None:
    assert demand.without_wish() == left


def test_a_demand_is_a_value() -> None:
    assert hash(wants("phr")) == hash(wants("phr"))
