"""What an account asks of its own person."""

import pytest

from idp.assurance import Rung, account_floor, decide
from tests.assurance.builders import ledger, offers, said, wants


@pytest.mark.parametrize(
    ("available", "floor"),
    [
        pytest.param("password", Rung.ONE_FACTOR, id="no second step, none asked"),
        pytest.param("password link", Rung.ONE_FACTOR, id="a mailbox is no second step"),
        pytest.param("password totp", Rung.SECOND_STEP, id="a code beside a password is"),
        pytest.param("link totp", Rung.SECOND_STEP, id="and beside a mailed link"),
        pytest.param("password touch", Rung.SECOND_STEP, id="a touched passkey is as well"),
        pytest.param("password passkey", Rung.SECOND_STEP, id="and one that verifies"),
        pytest.param("passkey", Rung.SECOND_STEP, id="who has a verifying passkey only, verifies"),
        pytest.param("touch", Rung.ONE_FACTOR, id="a single security key locks nobody out"),
        pytest.param("password recovery", Rung.ONE_FACTOR, id="recovery codes alone are none"),
        pytest.param("password +totp", Rung.ONE_FACTOR, id="what could be enrolled is none"),
    ],
)
def test_account_floor(available: str, floor: Rung) -> None:
    assert account_floor(offers(*available.split())) is floor


@pytest.mark.parametrize(
    "available",
    [
        "password totp",
        "link totp",
        "passkey totp",
        "touch",
        "password touch",
        "link touch recovery",
    ],
)
def test_an_account_floor_can_always_be_reached(available: str) -> None:
    hers = offers(*available.split())
    demand = wants().raised(floor=account_floor(hers))
    assert not said(decide(demand, (), hers)).startswith("unmet")


def test_no_pointless_code_after_a_verified_passkey() -> None:
    hers = offers("password", "passkey", "totp")
    demand = wants().raised(floor=account_floor(hers))
    assert said(decide(demand, ledger("passkey@10:00"), hers)).startswith("phr by")
