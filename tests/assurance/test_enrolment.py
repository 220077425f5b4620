"""Enrolling a factor in the middle of a step-up, and what it stands on."""

import pytest

from idp.assurance import Demand, Rung, decide, enrolment_demand
from tests.assurance.builders import ledger, offers, said, wants

MFA = "urn:idp:acr:mfa"


@pytest.mark.parametrize(
    ("demand", "proofs", "available", "expected"),
    [
        pytest.param(
            wants(MFA, enrol=True),
            "password@12:00/now",
            "password +totp +passkey",
            "enrol passkey? | enrol totp",
            id="whoever has only a password may enrol a second factor on the way",
        ),
        pytest.param(
            wants(MFA, enrol=True),
            "password@12:00/now",
            "password totp +passkey",
            "totp",
            id="enrolling is offered only where nothing enrolled leads there",
        ),
        pytest.param(
            wants(MFA, enrol=True),
            "password@12:00/now",
            "password recovery +totp",
            "recovery_code",
            id="a recovery code leads there, so it is asked for",
        ),
        pytest.param(
            wants(MFA),
            "password@12:00/now",
            "password +totp",
            "unmet: out_of_reach",
            id="without a word of policy nobody enrols",
        ),
        pytest.param(
            wants(MFA, enrol=True),
            "",
            "password +totp",
            "password +1",
            id="the password comes first",
        ),
        pytest.param(
            wants("phr", enrol=True),
            "",
            "password +passkey",
            "password +1",
            id="a passkey cannot be enrolled out of nothing though it would reach phr alone",
        ),
        pytest.param(
            wants("phr", enrol=True),
            "password@10:00",
            "password +passkey",
            "password +1",
            id="nor on a password from an earlier sign-in",
        ),
        pytest.param(
            wants("phr", enrol=True),
            "password@12:00/now",
            "password totp +passkey",
            "totp +1",
            id="a password alone cannot enrol a passkey beside an enrolled code",
        ),
        pytest.param(
            wants("phr", enrol=True),
            "password@10:00 totp@10:01 password@12:00/now",
            "password totp +passkey",
            "totp +1",
            id="nor can it with a code from an earlier sign-in",
        ),
        pytest.param(
            wants("phr", enrol=True),
            "password@12:00/now totp@12:01/now",
            "password totp +passkey",
            "enrol passkey?",
            id="the strongest she has, fresh, lets her enrol a stronger one",
        ),
        pytest.param(
            wants("phrh", enrol=True),
            "password@12:00/now",
            "password totp touch +attested",
            "passkey +1",
            id="a touched passkey is stronger than a code, so that is what enrolling stands on",
        ),
        pytest.param(
            wants("phr", enrol=True, refused="totp"),
            "password@12:00/now",
            "password totp +passkey",
            "totp +1",
            id="a client's refusal does not lower what enrolling stands on",
        ),
        pytest.param(
            wants(MFA, enrol=True, refused="totp"),
            "",
            "password totp +link",
            "unmet: out_of_reach",
            id="what enrolling stands on does not count where the client refuses it",
        ),
        pytest.param(
            wants("phr", enrol=True, refused="passkey"),
            "password@12:00/now",
            "password +passkey",
            "unmet: out_of_reach",
            id="a refused method is not enrolled",
        ),
        pytest.param(
            wants("phrh", enrol=True),
            "password@12:00/now",
            "password +passkey",
            "unmet: out_of_reach",
            id="nobody is sent to enrol what would not reach it",
        ),
        pytest.param(
            wants("phr", enrol=True),
            "",
            "totp +passkey",
            "unmet: out_of_reach",
            id="who has nothing that opens has nothing to enrol on",
        ),
        pytest.param(
            wants("phr", voluntary=True, enrol=True),
            "password@12:00/now",
            "password +passkey",
            "urn:idp:acr:1fa by pwd at 12:00",
            id="for a wish nobody is made to enrol",
        ),
        pytest.param(
            wants("phr", voluntary=True, floor=Rung.MFA, enrol=True),
            "password@12:00/now",
            "password +totp +passkey",
            "enrol passkey? | enrol totp",
            id="for a floor she is, wish or no wish",
        ),
        pytest.param(
            wants(MFA, enrol=True),
            "link@12:00/now",
            "link password +totp",
            "password +1",
            id="what she has is asked for before what she is to enrol",
        ),
        pytest.param(
            wants(MFA, enrol=True),
            "link@12:00/now",
            "link +passkey",
            "enrol passkey!",
            id="a passkey enrolled on a mailed link must verify, for the mailbox is no kind",
        ),
    ],
)
def test_enrolment(demand: Demand, proofs: str, available: str, expected: str) -> None:
    assert said(decide(demand, ledger(*proofs.split()), offers(*available.split()))) == expected


def test_what_was_just_enrolled_counts_and_is_told() -> None:
    proofs = ledger("password@12:00/now", "totp@12:01/now")
    decision = decide(wants(MFA, enrol=True), proofs, offers("password", "totp"))
    assert said(decision) == f"{MFA} by pwd otp mfa at 12:00"


@pytest.mark.parametrize(
    ("available", "floor"),
    [
        pytest.param("", Rung.ONE_FACTOR, id="nothing yet: whatever opened the account"),
        pytest.param("password", Rung.ONE_FACTOR, id="a password: the password"),
        pytest.param("password totp", Rung.MFA, id="password and code: both"),
        pytest.param("link totp", Rung.SECOND_STEP, id="mailed link and code: both"),
        pytest.param("password recovery", Rung.MFA, id="recovery codes are part of the strongest"),
        pytest.param("password passkey", Rung.PHR, id="a passkey: the passkey"),
        pytest.param("attested totp", Rung.PHRH, id="an attested passkey: that one"),
        pytest.param("password +passkey", Rung.ONE_FACTOR, id="what is not enrolled is not asked"),
    ],
)
def test_enrolling_demands_the_strongest_there_is(available: str, floor: Rung) -> None:
    demand = enrolment_demand(offers(*available.split()), within="now")
    assert demand == Demand(floor=floor, within="now")
