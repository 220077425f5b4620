"""From the words of an authorization request to a demand."""

from datetime import timedelta

import pytest

from idp.assurance import (
    AssuranceRequest,
    ClientFloor,
    Demand,
    Rung,
    Unmet,
    decide,
    demand_for,
    since,
)
from tests.assurance.builders import ALIASES, REFEDS, at, ledger, offers, said, wants

MFA = "urn:idp:acr:mfa"
STARTED = at("12:00")


def made(request: AssuranceRequest, client: ClientFloor | None = None) -> Demand | Unmet:
    return demand_for(request, client or ClientFloor(), started=STARTED, aliases=ALIASES)


@pytest.mark.parametrize(
    ("request_", "client", "demand"),
    [
        pytest.param(AssuranceRequest(), ClientFloor(), wants(), id="nothing asked"),
        pytest.param(
            AssuranceRequest(acr_values=("phr", "2")),
            ClientFloor(),
            wants("phr", "2"),
            id="acr_values are necessary, in the order of the request",
        ),
        pytest.param(
            AssuranceRequest(acr_values=("phr",)),
            ClientFloor(acr_values_voluntary=True),
            wants("phr", voluntary=True),
            id="unless the client is registered otherwise",
        ),
        pytest.param(
            AssuranceRequest(acr_values=("loa4", "phr")),
            ClientFloor(),
            wants("phr"),
            id="an unknown value beside a known one is ignored",
        ),
        pytest.param(
            AssuranceRequest(acr_values=("loa4",)),
            ClientFloor(),
            Unmet("unknown_acr"),
            id="a list in which nothing is known fails at once",
        ),
        pytest.param(
            AssuranceRequest(acr_values=("loa4",)),
            ClientFloor(acr_values_voluntary=True),
            wants(),
            id="a wish in which nothing is known is forgotten",
        ),
        pytest.param(
            AssuranceRequest(acr_claim=("phr",), acr_essential=True),
            ClientFloor(acr_values_voluntary=True),
            wants("phr"),
            id="an essential claim is necessary whatever the client is registered for",
        ),
        pytest.param(
            AssuranceRequest(acr_claim=("phr",), acr_essential=True, acr_values=(MFA,)),
            ClientFloor(),
            wants("phr"),
            id="an essential claim wins over acr_values",
        ),
        pytest.param(
            AssuranceRequest(acr_claim=("loa4",), acr_essential=True, acr_values=(MFA,)),
            ClientFloor(),
            Unmet("unknown_acr"),
            id="also when nothing in it is known",
        ),
        pytest.param(
            AssuranceRequest(acr_claim=("phr",)),
            ClientFloor(),
            wants("phr", voluntary=True),
            id="a claim that is not essential is a wish",
        ),
        pytest.param(
            AssuranceRequest(acr_claim=("loa4",)),
            ClientFloor(),
            wants(),
            id="and so may be unknown",
        ),
        pytest.param(
            AssuranceRequest(acr_claim=("phr",), acr_values=(MFA,)),
            ClientFloor(),
            wants(MFA),
            id="acr_values win over a wish",
        ),
        pytest.param(
            AssuranceRequest(acr_essential=True, acr_values=(MFA,)),
            ClientFloor(),
            wants(MFA),
            id="an essential claim that names no value asks for nothing more",
        ),
        pytest.param(
            AssuranceRequest(),
            ClientFloor(minimum=Rung.MFA, refused=frozenset({"totp"}), verify_user=True),
            wants(floor=Rung.MFA, refused="totp", verify_user=True),
            id="the client's floor, refusals and verification are taken over",
        ),
        pytest.param(
            AssuranceRequest(acr_values=("urn:idp:acr:1fa",)),
            ClientFloor(minimum=Rung.PHR),
            wants("urn:idp:acr:1fa", floor=Rung.PHR),
            id="no acr_values lower the client's minimum",
        ),
        pytest.param(
            AssuranceRequest(),
            ClientFloor(default_acr_values=("phr", REFEDS)),
            wants("phr", REFEDS, floor=Rung.MFA, voluntary=True),
            id="registered defaults are asked for when nothing else is, and their least is a floor",
        ),
        pytest.param(
            AssuranceRequest(acr_values=("urn:idp:acr:1fa",)),
            ClientFloor(default_acr_values=(REFEDS,)),
            wants("urn:idp:acr:1fa", floor=Rung.MFA),
            id="no acr_values lower the registered defaults",
        ),
        pytest.param(
            AssuranceRequest(acr_values=("phrh",)),
            ClientFloor(default_acr_values=(REFEDS,), minimum=Rung.SECOND_STEP),
            wants("phrh", floor=Rung.MFA),
            id="of minimum and defaults the higher is the floor",
        ),
    ],
)
def test_demand_for(
    request_: AssuranceRequest, client: ClientFloor, demand: Demand | Unmet
) -> None:
    assert made(request_, client) == demand


@pytest.mark.parametrize(
    ("request_", "client", "instant"),
    [
        pytest.param(AssuranceRequest(), ClientFloor(), None, id="no max_age: any age will do"),
        pytest.param(AssuranceRequest(max_age=0), ClientFloor(), "12:00", id="max_age 0: all anew"),
        pytest.param(AssuranceRequest(max_age=3600), ClientFloor(), "11:00", id="max_age an hour"),
        pytest.param(
            AssuranceRequest(prompt_login=True), ClientFloor(), "12:00", id="prompt=login: all anew"
        ),
        pytest.param(
            AssuranceRequest(prompt_login=True, max_age=3600),
            ClientFloor(),
            "12:00",
            id="prompt=login beside a max_age: all anew",
        ),
        pytest.param(
            AssuranceRequest(), ClientFloor(max_age=7200), "10:00", id="the client's maximum age"
        ),
        pytest.param(
            AssuranceRequest(max_age=86400),
            ClientFloor(max_age=7200),
            "10:00",
            id="no max_age loosens it",
        ),
        pytest.param(
            AssuranceRequest(max_age=3600),
            ClientFloor(max_age=7200),
            "11:00",
            id="a max_age may tighten it",
        ),
        pytest.param(
            AssuranceRequest(max_age=86400),
            ClientFloor(default_max_age=3600),
            "11:00",
            id="nor does it loosen the registered default",
        ),
        pytest.param(
            AssuranceRequest(max_age=10**30), ClientFloor(), None, id="an age beyond all years"
        ),
    ],
)
def test_since(request_: AssuranceRequest, client: ClientFloor, instant: str | None) -> None:
    demand = made(request_, client)
    assert isinstance(demand, Demand)
    assert demand.since == (at(instant) if instant else None)


def test_a_negative_age_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        since(STARTED, -1)


@pytest.mark.parametrize("seconds", [63_000_000_000, 10**18])
def test_every_age_that_a_request_can_carry_has_an_instant_or_none(seconds: int) -> None:
    limit = since(STARTED, seconds)
    assert limit is None or limit < STARTED


def test_somebody_slow_is_not_asked_twice() -> None:
    demand = made(AssuranceRequest(max_age=0, acr_values=(MFA,)))
    assert isinstance(demand, Demand)
    proofs = ledger("password@12:01/now", "totp@13:30/now")
    assert said(decide(demand, proofs, offers("password", "totp"))).startswith(MFA)


def test_policy_gives_rungs_an_age_and_enrolling_a_transaction() -> None:
    demand = demand_for(
        AssuranceRequest(),
        ClientFloor(),
        started=STARTED,
        aliases={},
        rung_ages={Rung.MFA: timedelta(hours=2), Rung.PHRH: timedelta(hours=1)},
        enrol_within="now",
    )
    assert demand == wants(rung_since={Rung.MFA: "10:00", Rung.PHRH: "11:00"}, enrol=True)
