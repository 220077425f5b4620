"""Adding a factor is one module, one template and one line: here they are."""

from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, FileSystemLoader

from idp.factors import FACTORS
from idp.factors.base import Factor
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.sign_in import Stuck, sign_in, typed
from tests.web.toy.riddle import Riddle

HERE = Path(__file__).parent / "toy"
WITH_RIDDLES: tuple[type[Factor], ...] = (*FACTORS, Riddle)
"""The line."""


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> House:
    house = House(sqlite_url, clock, kinds=WITH_RIDDLES)
    ours = house.app.jinja_loader
    assert ours is not None
    house.app.jinja_loader = ChoiceLoader([ours, FileSystemLoader(HERE)])  # the template
    return house


def test_a_sign_in_is_walked_with_it(house: House) -> None:
    """Enrolled, it is asked for as the second step, proved, and told to the relying party."""
    alice, shop = house.person(), house.client()
    house.set_up(alice, "riddle", lambda _: {})
    callback = sign_in(
        house.browser(),
        shop.authorization_url(acr_values="urn:idp:acr:mfa"),
        username=alice.email,
        password=alice.password,
        answers={"riddle": typed(solution="a house")},
    )
    claims = shop.finish(callback).claims
    assert claims["amr"] == ["pwd", "riddle", "mfa"]
    assert claims["acr"] == "urn:idp:acr:mfa"


def test_a_wrong_answer_leads_nowhere(house: House) -> None:
    alice, shop = house.person(), house.client()
    house.set_up(alice, "riddle", lambda _: {})
    with pytest.raises(Stuck) as stuck:
        sign_in(
            house.browser(),
            shop.authorization_url(),
            username=alice.email,
            password=alice.password,
            answers={"riddle": typed(solution="a tent")},
        )
    assert "That is not the answer." in stuck.value.page.document.text


def test_no_other_page_needs_to_know_it(house: House) -> None:
    """Where a factor is named in code of pages, a new one would be forgotten."""
    root = Path(__file__).resolve().parents[2] / "idp" / "web"
    pages = [root / "login.py", root / "flow.py", root / "asking.py", root / "pages.py"]
    pages += [root / "step_pages.py", root / "ways.py", root / "skeletons.py"]
    pages += [path for path in (root / "account").glob("*.py") if path.name != "passkeys.py"]
    named = {
        f"{path.name}: {factor.name}"
        for path in pages
        for factor in FACTORS
        if f'"{factor.name}"' in path.read_text()
    }
    assert named == set()
