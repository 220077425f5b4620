"""A change that has to wait for a fresh proof: what was typed is there again, in a real browser."""

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.open_house import open_house
from tests.helpers.sign_in import sign_in, totp
from tests.web.walking import newcomer


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    with open_house(sqlite_url, clock) as opened:
        yield opened


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_what_was_typed_is_there_again_after_the_proof(page: Page, house: House) -> None:
    person = newcomer(house, role="administrator")
    seed = house.totp(person)
    house.clock.advance(minutes=1)
    agent, url = house.browser(), house.client(consent="never").authorization_url()
    answers = {"totp": totp(seed, house.clock)}
    sign_in(agent, url, username=person.email, password=person.password, answers=answers)
    for cookie in agent.cookies.jar:
        page.context.add_cookies(
            [{"name": cookie.name, "value": str(cookie.value), "url": house.settings.issuer}]
        )
    page.goto(f"{house.settings.issuer}/admin/settings")
    house.clock.advance(minutes=11)
    page.get_by_label("Name of this place").fill("Lantern House")
    page.get_by_label("Anybody may make an account here").check()
    press(page, "Save")
    page.get_by_label("Password", exact=True).fill(person.password)
    press(page, "Continue")
    page.get_by_label("6-digit code").fill(pyotp.TOTP(seed).at(house.clock()))
    press(page, "Continue")
    expect(page.get_by_text("Nothing was changed yet: please do it again.")).to_be_visible()
    expect(page.get_by_label("Name of this place")).to_have_value("Lantern House")
    expect(page.get_by_label("Anybody may make an account here")).to_be_checked()
    press(page, "Save")
    expect(page.get_by_text("Saved. Every node sees it within seconds.")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    page.goto(f"{house.settings.issuer}/admin/settings")
    expect(page.get_by_label("Name of this place")).to_have_value("Lantern House")
