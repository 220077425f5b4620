"""What is asked for when more is to be proved."""

import pytest

from idp.assurance import Challenge, Demand, Rung, Trait, decide
from tests.assurance.builders import ledger, offers, said, wants

MFA = "urn:idp:acr:mfa"
EVERYTHING = "password passkey totp recovery link"


@pytest.mark.parametrize(
    ("demand", "proofs", "available", "expected"),
    [
        pytest.param(
            wants(),
            "",
            EVERYTHING,
            "passkey? | password | magic_link",
            id="a plain sign-in takes whatever opens a session, the strongest first",
        ),
        pytest.param(wants(), "totp@10:00", "totp", "unmet: out_of_reach", id="a code never opens"),
        pytest.param(
            wants(),
            "",
            "link password",
            "magic_link | password",
            id="equals stay as they were offered",
        ),
        pytest.param(
            wants(),
            "",
            "link password@10:00",
            "password | magic_link",
            id="of equals the one used last comes first",
        ),
        pytest.param(
            wants(),
            "",
            "link@11:00 password@10:00",
            "magic_link | password",
            id="and of two that were used the later",
        ),
        pytest.param(
            wants(),
            "",
            "password@10:00 passkey",
            "passkey? | password",
            id="strength goes before habit",
        ),
        pytest.param(
            wants(MFA),
            "password@10:00",
            "password totp",
            "totp",
            id="beside a password only what is missing is asked for",
        ),
        pytest.param(
            wants(MFA),
            "password@10:00",
            EVERYTHING,
            "passkey? | totp | recovery_code",
            id="any possession completes a password; recovery comes last",
        ),
        pytest.param(
            wants(MFA, since="11:00"),
            "totp@10:00 password@11:30",
            "password totp",
            "totp",
            id="a stale code beside a fresh password asks for the code only",
        ),
        pytest.param(
            wants(MFA, since="11:00"),
            "password@10:00 totp@11:30",
            "password totp",
            "password",
            id="a stale password beside a fresh code asks for the password only",
        ),
        pytest.param(
            wants(MFA, since="12:00"),
            "password@10:00 totp@10:00",
            "totp password",
            "password +1",
            id="with both stale, the one that opens is asked for first",
        ),
        pytest.param(
            wants(MFA),
            "",
            "password totp passkey",
            "passkey! | password +1",
            id="one UV passkey replaces two steps and the other way stays open",
        ),
        pytest.param(
            wants(MFA),
            "",
            "password attested-touch passkey",
            "passkey! | password +1",
            id="fewer steps go before strength",
        ),
        pytest.param(
            wants(MFA),
            "",
            "touch password totp",
            "passkey +1 | password +1",
            id="a passkey that verifies nobody needs a password beside it",
        ),
        pytest.param(
            wants("phr"),
            "password@10:00 totp@10:01",
            EVERYTHING,
            "passkey?",
            id="no further code makes phishing resistance",
        ),
        pytest.param(
            wants("phr"),
            "",
            "totp touch password",
            "passkey +1 | password +1",
            id="from nothing, neither passkey nor password waits for the code",
        ),
        pytest.param(
            wants("phr"),
            "totp@10:00",
            "password passkey",
            "passkey! | password +1",
            id="a code beside it does not spare a passkey its verification",
        ),
        pytest.param(
            wants("phrh"),
            "passkey@10:00",
            "password passkey attested-touch",
            "passkey",
            id="hardware may be touched only when verification was given already",
        ),
        pytest.param(
            wants("phr", MFA),
            "password@10:00",
            "totp passkey",
            "passkey? | totp",
            id="whatever reaches any acceptable rung is offered, the stronger first",
        ),
        pytest.param(
            wants(MFA),
            "link@10:00",
            "password totp",
            "password +1 | totp +1",
            id="once a session is opened, order is the person's affair",
        ),
        pytest.param(
            wants(floor=Rung.SECOND_STEP),
            "link@10:00",
            "link totp recovery",
            "totp | recovery_code",
            id="whoever signs in by link is asked for the code she enrolled",
        ),
        pytest.param(
            wants(floor=Rung.SECOND_STEP),
            "password@10:00",
            "password totp link",
            "totp",
            id="a mailed link is no second step beside a password",
        ),
        pytest.param(
            wants(floor=Rung.SECOND_STEP),
            "",
            EVERYTHING,
            "passkey! | password +1 | magic_link +1",
            id="an account with a second step asks a passkey to verify, or two steps",
        ),
        pytest.param(
            wants(floor=Rung.SECOND_STEP),
            "",
            "password recovery",
            "password +1",
            id="a recovery code may stand in for the lost second step",
        ),
        pytest.param(
            wants(floor=Rung.SECOND_STEP),
            "touch@10:00",
            "totp touch password",
            "password",
            id="beside a touched passkey the code would be a second of the same kind",
        ),
        pytest.param(
            wants(MFA),
            "touch@10:00",
            "passkey password totp",
            "passkey! | password",
            id="a touched passkey is completed by a password, or by verifying",
        ),
        pytest.param(
            wants(floor=Rung.MFA),
            "password@10:00",
            "recovery totp",
            "totp | recovery_code",
            id="recovery comes last though it was offered first",
        ),
        pytest.param(
            wants(floor=Rung.MFA),
            "password@10:00",
            "recovery@11:00 totp@09:00",
            "totp | recovery_code",
            id="recovery comes last though it was used last",
        ),
        pytest.param(
            wants(MFA),
            "link@10:00",
            "recovery touch password",
            "passkey +1 | password +1 | recovery_code +1",
            id="recovery comes last in longer ways too",
        ),
        pytest.param(
            wants(MFA, refused="totp"),
            "password@10:00 totp@10:01",
            "password totp passkey",
            "passkey?",
            id="a refused method neither counts nor is offered",
        ),
        pytest.param(
            wants("phr", refused="passkey"),
            "password@10:00",
            EVERYTHING,
            "unmet: out_of_reach",
            id="refusing the only way leaves none",
        ),
        pytest.param(
            wants(floor=Rung.MFA, within="now"),
            "passkey@10:00 password@11:00/now",
            EVERYTHING,
            "passkey? | totp | recovery_code",
            id="what was proved in another sign-in does not confirm this operation",
        ),
        pytest.param(
            wants(rung_since={Rung.MFA: "11:00"}, floor=Rung.MFA),
            "password@10:00 totp@11:30",
            "password totp",
            "password",
            id="the age of a rung makes a proof stale",
        ),
        pytest.param(
            wants("phr", rung_since={Rung.MFA: "11:00"}),
            "passkey@10:00",
            "passkey",
            "passkey!",
            id="a rung inherits the age of the rungs below it",
        ),
        pytest.param(
            wants("phr", since="09:00", rung_since={Rung.PHR: "11:00"}),
            "passkey@10:00",
            "passkey",
            "passkey!",
            id="the age of a rung tightens a lax max_age",
        ),
        pytest.param(
            wants("phr", since="11:00", rung_since={Rung.PHR: "09:00"}),
            "passkey@10:00",
            "passkey",
            "passkey!",
            id="and never loosens a strict one",
        ),
        pytest.param(
            wants("urn:idp:acr:1fa", floor=Rung.PHR),
            "password@10:00",
            "passkey totp",
            "passkey?",
            id="no request goes below a floor",
        ),
        pytest.param(
            wants("phrh"),
            "password@10:00 totp@10:01",
            "password totp",
            "unmet: out_of_reach",
            id="a necessary rung that nothing reaches is unmet",
        ),
        pytest.param(
            wants("phrh"),
            "",
            "",
            "unmet: out_of_reach",
            id="nothing to offer, no empty page",
        ),
        pytest.param(
            wants("phr", voluntary=True),
            "password@10:00",
            "password passkey",
            "passkey?",
            id="a wish that what she has can grant is asked for",
        ),
        pytest.param(
            wants("phr", voluntary=True, floor=Rung.MFA),
            "password@10:00",
            "password totp",
            "totp",
            id="a wish out of reach leaves the floor to be met",
        ),
        pytest.param(
            wants("phr", voluntary=True, floor=Rung.MFA),
            "password@10:00",
            "password",
            "unmet: out_of_reach",
            id="a floor is never a wish",
        ),
        pytest.param(
            wants(MFA, verify_user=True),
            "password@10:00",
            "passkey totp",
            "passkey! | totp",
            id="a client's policy may require verification where the rung does not",
        ),
        pytest.param(
            wants(verify_user=True),
            "",
            "touch password",
            "passkey | password",
            id="and cannot have it from a key that has none to give",
        ),
    ],
)
def test_challenge(demand: Demand, proofs: str, available: str, expected: str) -> None:
    assert said(decide(demand, ledger(*proofs.split()), offers(*available.split()))) == expected


def test_choosing_another_way_also_leads_there() -> None:
    way_round = [ledger("password@10:00"), ledger("password@10:00", "totp@10:01")]
    available = offers("passkey", "password", "totp")
    assert said(decide(wants(MFA), way_round[0], available)) == "passkey? | totp"
    assert said(decide(wants(MFA), way_round[1], available)) == f"{MFA} by pwd otp mfa at 10:00"


@pytest.mark.parametrize(
    ("demand", "proofs", "needs"),
    [
        pytest.param(wants(), "", {"phishing_resistant"}, id="any passkey opens a session"),
        pytest.param(
            wants(MFA),
            "password@10:00",
            {"possession"},
            id="any completes a password",
        ),
        pytest.param(
            wants("phr"),
            "link@10:00",
            {"phishing_resistant", "possession", "user_verification"},
            id="from a mailed link to phr, one that verifies",
        ),
        pytest.param(
            wants("phrh"),
            "passkey@10:00",
            {"phishing_resistant", "hardware_protected"},
            id="from a passkey to phrh, only an attested one",
        ),
    ],
)
def test_a_choice_says_what_its_proof_must_show(
    demand: Demand, proofs: str, needs: set[str]
) -> None:
    decision = decide(demand, ledger(*proofs.split()), offers("attested"))
    assert isinstance(decision, Challenge)
    assert decision.choices[0].needs == {Trait(need) for need in needs}


def test_keys_of_two_sorts_are_offered_as_one_method() -> None:
    decision = decide(wants(MFA), ledger("password@10:00"), offers("passkey", "attested-touch"))
    assert said(decision) == "passkey"
    assert isinstance(decision, Challenge)
    assert decision.choices[0].needs == {Trait.POSSESSION}


def test_traits_of_two_keys_are_not_shown_by_one() -> None:
    # One key verifies and is synced, the other is attested and only touched: to be touched in
    # hardware *and* verified takes both, or a password.
    decision = decide(wants("phrh"), (), offers("passkey", "attested-touch", "password"))
    assert said(decision) == "passkey! +1 | password +1"
