"""What each kind of proof shows, and how `amr` tells of it."""

from dataclasses import replace

import pytest

from idp.assurance import (
    MAILBOX,
    PASSWORD,
    RECOVERY_CODE,
    TOTP,
    Demand,
    Satisfied,
    Shown,
    decide,
    passkey,
)
from tests.assurance.builders import ledger, proof, said


@pytest.mark.parametrize(
    ("shown", "proves", "amr"),
    [
        pytest.param(PASSWORD, "knowledge", "pwd", id="a password shows knowledge"),
        pytest.param(TOTP, "possession", "otp", id="a code shows possession"),
        pytest.param(
            RECOVERY_CODE,
            "possession",
            "recovery",
            id="a recovery code shows it under its own name",
        ),
        pytest.param(MAILBOX, "mailbox", "email", id="a mailed link shows the mailbox only"),
        pytest.param(
            passkey(user_verified=False, backup_eligible=False, attested=False),
            "phishing_resistant possession",
            "pop user",
            id="a touched passkey, bound but unattested, is neither hardware nor software",
        ),
        pytest.param(
            passkey(user_verified=True, backup_eligible=False, attested=False),
            "phishing_resistant possession user_verification",
            "pop user",
            id="user verification adds a trait and no amr value",
        ),
        pytest.param(
            passkey(user_verified=True, backup_eligible=True, attested=False),
            "phishing_resistant possession user_verification",
            "pop user swk",
            id="a synced passkey is a software key",
        ),
        pytest.param(
            passkey(user_verified=True, backup_eligible=False, attested=True),
            "hardware_protected phishing_resistant possession user_verification",
            "pop user hwk",
            id="an attested bound passkey is a hardware key",
        ),
        pytest.param(
            passkey(user_verified=False, backup_eligible=False, attested=True),
            "hardware_protected phishing_resistant possession",
            "pop user hwk",
            id="it is one as well when only touched",
        ),
        pytest.param(
            passkey(user_verified=True, backup_eligible=True, attested=True),
            "phishing_resistant possession user_verification",
            "pop user swk",
            id="an attested passkey that may be synced is no hardware key",
        ),
    ],
)
def test_proof_table(shown: Shown, proves: str, amr: str) -> None:
    assert " ".join(sorted(shown.proves)) == proves
    assert " ".join(shown.amr) == amr


@pytest.mark.parametrize(
    ("proofs", "amr"),
    [
        pytest.param("password@10:00", "pwd", id="one kind is not mfa"),
        pytest.param("password@10:00 totp@10:01", "pwd otp mfa", id="knowledge and possession"),
        pytest.param("passkey@10:00", "pop user swk mfa", id="a UV passkey is mfa by itself"),
        pytest.param("touch@10:00", "pop user swk", id="a touched one is not"),
        pytest.param("link@10:00 totp@10:01", "otp email", id="the mailbox is none of the kinds"),
        pytest.param(
            "link@10:00 password@10:01", "pwd email", id="nor beside a password, which it can reset"
        ),
        pytest.param(
            "password@10:00 totp@10:01 recovery@10:02 link@10:03 attested@10:04 passkey@10:05",
            "pwd pop user swk hwk otp recovery email mfa",
            id="values come in one order, whatever was proved first",
        ),
    ],
)
def test_amr(proofs: str, amr: str) -> None:
    decision = decide(Demand(), ledger(*proofs.split()), ())
    assert isinstance(decision, Satisfied)
    assert " ".join(decision.amr) == amr


def test_a_proof_cannot_claim_mfa_for_itself() -> None:
    boasting = replace(proof("password@10:00"), amr=("pwd", "mfa"))
    assert said(decide(Demand(), [boasting], ())) == "urn:idp:acr:1fa by pwd at 10:00"


def test_values_of_unknown_factors_follow_the_known_ones() -> None:
    card = replace(proof("totp@10:00"), method="card", amr=("sc",))
    voice = replace(proof("totp@10:00"), method="voice", amr=("tel",))
    decision = decide(Demand(), [card, voice, proof("password@10:00")], ())
    assert isinstance(decision, Satisfied)
    assert decision.amr == ("pwd", "sc", "tel", "mfa")
