"""The rungs and their names."""

import pytest

from idp.assurance import (
    Acr,
    Rung,
    canonical_name,
    ladder_names,
    resolve_acr_values,
    supported_acr_values,
)
from idp.assurance.ladder import highest, holds
from tests.assurance.builders import ALIASES, REFEDS, WAYS


@pytest.mark.parametrize(
    ("ways", "reached"),
    [
        pytest.param("", None, id="nothing proved reaches nothing"),
        pytest.param("password", Rung.ONE_FACTOR, id="a password is one factor"),
        pytest.param("link", Rung.ONE_FACTOR, id="the mailbox is one factor"),
        pytest.param("touch", Rung.ONE_FACTOR, id="a touched passkey is one factor"),
        pytest.param("totp", None, id="a code alone never opens a session"),
        pytest.param("recovery", None, id="a recovery code alone never does"),
        pytest.param("totp recovery", None, id="nor do both"),
        pytest.param("password totp", Rung.MFA, id="password and code are mfa"),
        pytest.param("password recovery", Rung.MFA, id="password and recovery code are mfa"),
        pytest.param("password link", Rung.ONE_FACTOR, id="the mailbox never makes mfa"),
        pytest.param(
            "link totp", Rung.SECOND_STEP, id="mailbox and code are a second step, no mfa"
        ),
        pytest.param("link recovery", Rung.SECOND_STEP, id="so are mailbox and recovery code"),
        pytest.param("link touch", Rung.SECOND_STEP, id="and mailbox and a touched passkey"),
        pytest.param("touch totp", Rung.ONE_FACTOR, id="two possessions are one kind"),
        pytest.param("passkey", Rung.PHR, id="a UV passkey alone is mfa and phishing-resistant"),
        pytest.param("password touch", Rung.PHR, id="password and a touched passkey are as much"),
        pytest.param("attested", Rung.PHRH, id="an attested UV passkey reaches the top at once"),
        pytest.param("password attested-touch", Rung.PHRH, id="so do password and attested touch"),
        pytest.param("attested-touch", Rung.ONE_FACTOR, id="an attested touch alone is one factor"),
        pytest.param("bound", Rung.PHR, id="bound without attestation is not hardware-protected"),
    ],
)
def test_what_reaches_which_rung(ways: str, reached: Rung | None) -> None:
    proofs = [WAYS[way][1].proves for way in ways.split()]
    assert highest(proofs) == reached
    assert [rung for rung in Rung if holds(rung, proofs)] == [
        rung for rung in Rung if reached and rung <= reached
    ]


def test_our_own_names_are_advertised_weakest_first() -> None:
    assert ladder_names() == ("urn:idp:acr:1fa", "urn:idp:acr:mfa", "phr", "phrh")


def test_a_second_step_is_reported_as_one_factor() -> None:
    assert canonical_name(Rung.SECOND_STEP) == "urn:idp:acr:1fa"


@pytest.mark.parametrize(
    ("aliases", "supported"),
    [
        pytest.param({}, (), id="without aliases, our own names only"),
        pytest.param(ALIASES, (REFEDS, "2", "gold"), id="aliases follow"),
        pytest.param({"x": "nonsense"}, (), id="an alias for nothing is not advertised"),
        pytest.param({"phr": "urn:idp:acr:1fa"}, (), id="an alias cannot take one of our names"),
        pytest.param({"x": "2", "2": "phr"}, ("2",), id="an alias of an alias is none"),
    ],
)
def test_supported_acr_values(aliases: dict[str, str], supported: tuple[str, ...]) -> None:
    assert supported_acr_values(aliases) == ladder_names() + supported


@pytest.mark.parametrize(
    ("asked", "resolved"),
    [
        pytest.param("phr urn:idp:acr:mfa", "phr=PHR urn:idp:acr:mfa=MFA", id="order is kept"),
        pytest.param("2 phr", "2=MFA phr=PHR", id="an alias keeps its own name"),
        pytest.param("0 loa3 phr", "phr=PHR", id="unknown values are ignored"),
        pytest.param("0 loa3", "", id="only unknown values leave nothing"),
        pytest.param("phr 2 phr", "phr=PHR 2=MFA", id="a repeated value counts once"),
        pytest.param(
            "urn:idp:acr:mfa 2", "urn:idp:acr:mfa=MFA 2=MFA", id="an alias is not its name"
        ),
        pytest.param("PHR", "", id="names are compared letter by letter"),
    ],
)
def test_resolving_asked_values(asked: str, resolved: str) -> None:
    acrs = resolve_acr_values(asked.split(), ALIASES)
    assert " ".join(f"{acr.name}={acr.rung.name}" for acr in acrs) == resolved


def test_no_alias_redefines_one_of_our_names() -> None:
    hostile = {"phr": "urn:idp:acr:1fa"}
    assert resolve_acr_values(["phr"], hostile) == (Acr("phr", Rung.PHR),)
