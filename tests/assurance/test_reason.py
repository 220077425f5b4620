"""Why somebody is asked for more."""

import pytest

from idp.assurance import Challenge, Demand, Rung, decide
from tests.assurance.builders import at, ledger, offers, wants

MFA = "urn:idp:acr:mfa"


@pytest.mark.parametrize(
    ("demand", "proofs", "wanted", "counting", "stale"),
    [
        pytest.param(
            wants("phr"),
            "password@09:00",
            Rung.PHR,
            "password@09:00",
            "",
            id="signed in at nine with a password, and phr is wanted",
        ),
        pytest.param(
            wants(MFA, since="11:00"),
            "totp@10:00 password@11:30",
            Rung.MFA,
            "password@11:30",
            "totp@10:00",
            id="the password counts, the code is stale",
        ),
        pytest.param(
            wants(since="11:00"),
            "password@09:00 password@10:00/again",
            Rung.ONE_FACTOR,
            "",
            "password@10:00/again",
            id="of many the newest is told",
        ),
        pytest.param(
            wants("phr", since="10:00"),
            "password@09:00 password@10:00/again",
            Rung.PHR,
            "password@10:00/again",
            "",
            id="a method that counts is not told as stale as well",
        ),
        pytest.param(
            wants("phrh", MFA),
            "password@09:00",
            Rung.MFA,
            "password@09:00",
            "",
            id="of several acceptable rungs the lowest is wanted",
        ),
        pytest.param(
            wants(floor=Rung.MFA, within="now"),
            "totp@10:00 password@11:00/now",
            Rung.MFA,
            "password@11:00/now",
            "totp@10:00",
            id="what was proved elsewhere is as good as stale",
        ),
        pytest.param(
            wants("phr", refused="totp"),
            "password@10:00 totp@10:01",
            Rung.PHR,
            "password@10:00",
            "",
            id="a refused method is not mentioned",
        ),
        pytest.param(wants(), "", Rung.ONE_FACTOR, "", "", id="nothing yet"),
    ],
)
def test_reason(demand: Demand, proofs: str, wanted: Rung, counting: str, stale: str) -> None:
    available = offers("password", "passkey", "attested", "totp")
    decision = decide(demand, ledger(*proofs.split()), available)
    assert isinstance(decision, Challenge)
    assert decision.reason.wanted is wanted
    assert decision.reason.counting == tuple(ledger(*counting.split()))
    assert decision.reason.stale == tuple(ledger(*stale.split()))


def test_a_reason_says_how_old_is_too_old() -> None:
    demand = wants("phr", since="10:00", rung_since={Rung.MFA: "11:00", Rung.PHRH: "11:30"})
    decision = decide(demand, (), offers("passkey"))
    assert isinstance(decision, Challenge)
    assert decision.reason.since == at("11:00")
