"""What may be asserted when enough was proved."""

from collections.abc import Iterator

import pytest

from idp.assurance import Demand, Offer, Rung, Satisfied, decide
from tests.assurance.builders import REFEDS, ledger, said, wants

MFA = "urn:idp:acr:mfa"
ONE = "urn:idp:acr:1fa"


@pytest.mark.parametrize(
    ("demand", "proofs", "expected"),
    [
        pytest.param(
            wants(),
            "password@10:00 passkey@10:01",
            "phr by pwd pop user swk mfa at 10:00",
            id="password and passkey in one sign-in are told together, at the password's time",
        ),
        pytest.param(
            wants("phr"),
            "password@10:00 passkey@12:00/step-up",
            "phr by pop user swk mfa at 12:00",
            id="a passkey two hours later stands alone, at its own time",
        ),
        pytest.param(
            wants(MFA),
            "password@10:00 totp@11:00/step-up",
            f"{MFA} by pwd otp mfa at 10:00",
            id="a code an hour after the password is only as fresh as the password",
        ),
        pytest.param(
            wants(),
            "password@10:00 totp@11:00/step-up",
            f"{MFA} by pwd otp mfa at 10:00",
            id="with nothing asked, the highest rung that holds is told",
        ),
        pytest.param(
            wants(ONE),
            "password@10:00 totp@11:00/step-up",
            f"{ONE} by pwd at 10:00",
            id="a lower rung asked for is told by the proof that carries it",
        ),
        pytest.param(
            wants(ONE),
            "password@10:00 totp@10:01",
            f"{ONE} by pwd otp mfa at 10:00",
            id="what else was proved in the same sign-in is told with it",
        ),
        pytest.param(
            wants(ONE),
            "password@10:00 password@12:00/again",
            f"{ONE} by pwd at 12:00",
            id="of two equal proofs the newer is relied on",
        ),
        pytest.param(
            wants(MFA),
            "password@10:00 totp@10:01 password@11:00/again totp@12:00/later",
            f"{MFA} by pwd otp mfa at 11:00",
            id="of two equal sets the one whose oldest proof is newest is relied on",
        ),
        pytest.param(
            wants(MFA),
            "password@12:00 totp@12:01 passkey@11:00/before",
            f"{MFA} by pop user swk mfa at 11:00",
            id="a smaller set is relied on though a larger one is fresher",
        ),
        pytest.param(
            wants(),
            "password@12:00/again passkey@10:00",
            "phr by pop user swk mfa at 10:00",
            id="the highest rung is told though a lower one would be fresher",
        ),
        pytest.param(
            wants(ONE, since="10:30"),
            "password@10:00 passkey@11:00",
            f"{ONE} by pop user swk mfa at 11:00",
            id="a proof of the same sign-in that is too old is not told",
        ),
        pytest.param(
            wants("phr", MFA),
            "password@10:00 totp@10:01",
            f"{MFA} by pwd otp mfa at 10:00",
            id="the second preference will do when the first does not hold",
        ),
        pytest.param(
            wants(MFA, "phr"),
            "passkey@10:00",
            f"{MFA} by pop user swk mfa at 10:00",
            id="the first preference that holds answers, though a stronger one holds too",
        ),
        pytest.param(
            wants("phr", MFA),
            "passkey@10:00",
            "phr by pop user swk mfa at 10:00",
            id="in the order of the request",
        ),
        pytest.param(
            wants(REFEDS),
            "password@10:00 totp@10:01",
            f"{REFEDS} by pwd otp mfa at 10:00",
            id="an alias asked for is the alias answered",
        ),
        pytest.param(
            wants("2"),
            "passkey@10:00",
            "2 by pop user swk mfa at 10:00",
            id="also when more holds than the alias says",
        ),
        pytest.param(
            wants(ONE, floor=Rung.MFA),
            "password@10:00 totp@10:01",
            f"{ONE} by pwd otp mfa at 10:00",
            id="a lower name under a higher floor is answered by that name",
        ),
        pytest.param(
            wants(),
            "link@10:00 totp@10:01",
            f"{ONE} by otp email at 10:00",
            id="mailed link and code are honestly one factor",
        ),
        pytest.param(
            wants(floor=Rung.SECOND_STEP),
            "link@10:00 totp@10:01",
            f"{ONE} by otp email at 10:00",
            id="also where the account asked for its second step",
        ),
        pytest.param(
            wants(floor=Rung.SECOND_STEP),
            "passkey@10:00",
            "phr by pop user swk mfa at 10:00",
            id="a UV passkey needs no second step beside it",
        ),
        pytest.param(
            wants(since="10:00"),
            "password@10:00",
            f"{ONE} by pwd at 10:00",
            id="a proof given at the very instant is fresh",
        ),
        pytest.param(
            wants(refused="passkey"),
            "password@10:00 passkey@10:01",
            f"{ONE} by pwd at 10:00",
            id="a refused method neither counts nor is told",
        ),
        pytest.param(
            wants(within="now"),
            "passkey@10:00 password@12:00/now",
            f"{ONE} by pwd at 12:00",
            id="within one transaction, only what was proved in it counts",
        ),
        pytest.param(
            wants(rung_since={Rung.PHR: "11:00"}),
            "passkey@10:00",
            f"{MFA} by pop user swk mfa at 10:00",
            id="a rung that has aged away leaves the one below it",
        ),
        pytest.param(
            wants(rung_since={Rung.MFA: "11:00"}),
            "passkey@10:00",
            f"{ONE} by pop user swk mfa at 10:00",
            id="and with it every rung above it",
        ),
        pytest.param(
            wants("phr", rung_since={Rung.PHRH: "11:00"}),
            "attested@10:00",
            "phr by pop user hwk mfa at 10:00",
            id="the age of a higher rung does not bind a lower one",
        ),
        pytest.param(
            wants("phr", since="11:00", voluntary=True),
            "passkey@10:00 password@11:30/again",
            f"{ONE} by pwd at 11:30",
            id="a wish out of reach leaves the true, lower acr",
        ),
        pytest.param(
            wants("phrh", voluntary=True),
            "passkey@10:00",
            "phr by pop user swk mfa at 10:00",
            id="which is the highest that holds",
        ),
    ],
)
def test_satisfied(demand: Demand, proofs: str, expected: str) -> None:
    assert said(decide(demand, ledger(*proofs.split()), ())) == expected


def test_a_decision_names_its_proofs_oldest_first_and_the_rung_it_tested() -> None:
    proofs = ledger("totp@10:01", "password@10:00", "link@09:00/yesterday")
    decision = decide(wants("2", floor=Rung.SECOND_STEP), proofs, ())
    assert isinstance(decision, Satisfied)
    assert decision.evidence == (proofs[1], proofs[0])
    assert decision.rung is Rung.MFA


def test_stepping_up_takes_nothing_away() -> None:
    before = ledger("password@10:00", "totp@10:01")
    after = [*before, *ledger("passkey@12:00/step-up")]
    assert decide(wants(MFA, refused="passkey"), after, ()) == decide(wants(MFA), before, ())


def test_offers_are_not_looked_at_when_the_evidence_suffices() -> None:
    costly: Iterator[Offer] = (pytest.fail("looked") for _ in "once")
    assert isinstance(decide(Demand(), ledger("password@10:00"), costly), Satisfied)
