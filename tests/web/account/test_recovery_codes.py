"""Recovery codes: shown once, saved, renewed, and a warning before the last is gone."""

import re

import pytest

from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.sign_in import passkey, typed
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import add_passkey, entered, kinds, mails, press, visit

PATH = "/me/security/recovery_code"
_CODE = re.compile(r"<code>([0-9A-Z-]{29})</code>")


def codes_of(page: Page) -> list[str]:
    return _CODE.findall(page.response.text)


@pytest.fixture
def agent(house: House, alice: Person) -> UserAgent:
    """Signed in, with a passkey made just now, so that codes wait to be saved."""
    agent, page = entered(house, alice, "/me/passkeys")
    add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    return agent


def test_they_come_with_the_first_second_step_and_are_shown_until_saved(agent: UserAgent) -> None:
    page = agent.page(PATH)
    codes = codes_of(page)
    assert len(set(codes)) == 10
    assert codes_of(agent.page(PATH)) == codes  # a reload by accident loses nothing
    unticked = press(agent, page, "/saved")
    assert unticked.status == 422
    assert codes_of(unticked) == codes
    assert "Save the codes first" in unticked.document.text
    page = press(agent, page, "/saved", saved="yes")
    assert page.path == "/me/security"
    assert codes_of(agent.page(PATH)) == []
    assert "10 of 10 left" in agent.page(PATH).document.text


def test_after_ten_minutes_they_are_gone(house: House, agent: UserAgent) -> None:
    house.clock.advance(minutes=9, seconds=59)
    assert codes_of(agent.page(PATH))
    house.clock.advance(seconds=1)
    assert codes_of(agent.page(PATH)) == []


def test_another_session_of_the_same_person_does_not_see_them(house: House) -> None:
    dora = house.person("dora@example.com")
    agent, page = entered(house, dora, "/me/passkeys")
    soft = SoftAuthenticator(house.settings.issuer)
    add_passkey(agent, page, soft)
    _other, page = entered(house, dora, PATH, {"passkey": passkey(soft)})
    assert codes_of(page) == []
    assert len(codes_of(agent.page(PATH))) == 10


def test_they_are_kept_hashed_and_the_shown_ones_sealed(agent: UserAgent, sqlite_url: str) -> None:
    codes = codes_of(agent.page(PATH))
    with open(sqlite_url.removeprefix("sqlite:///"), "rb") as database:
        stored = database.read()
    for code in codes:
        assert code.encode() not in stored
        assert code.replace("-", "").encode() not in stored


def test_new_ones_end_the_old_ones(house: House, alice: Person, agent: UserAgent) -> None:
    old = codes_of(agent.page(PATH))
    press(agent, agent.page(PATH), "/saved", saved="yes")
    page = agent.page(PATH)
    warning, _, after = page.document.text.partition("the old ones stop working at once.")
    assert "Make new codes" in after
    assert "Make new codes" not in warning
    page = press(agent, page, "/security/recovery_code")
    new = codes_of(page)
    assert len(set(new) | set(old)) == 20
    assert kinds(house, alice).count("recovery_code") == 10
    assert mails(house)[-1]["subject"].endswith("The old ones no longer work.")
    with pytest.raises(AssertionError):
        entered(house, alice, "/me", {"recovery_code": typed(recovery_code=old[0])})
    entered(house, alice, "/me", {"recovery_code": typed(recovery_code=new[0])})


def test_with_three_left_it_is_time_for_new_ones(house: House, alice: Person) -> None:
    soft = house.passkey(alice)
    codes = house.recovery_codes(alice)
    for number, code in enumerate(codes[:7]):
        _agent, page = entered(house, alice, "/me", {"recovery_code": typed(recovery_code=code)})
        warned = "Make new codes" in page.document.text
        assert warned == (number == 6), number
    agent, page = entered(house, alice, PATH, {"passkey": passkey(soft)})
    assert "Only 3 codes are left." in page.document.text
    assert "3 of 10 left" in page.document.text
    assert "3 of 10 left" in agent.page("/me/security").document.text


def test_without_a_second_step_there_are_none_to_be_had(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, PATH)
    refused = press(agent, page, "/security/recovery_code")
    assert refused.status == 422
    assert "Set one up first; they come with it." in refused.document.text
    assert kinds(house, alice) == ["password"]
    assert "Recovery codes" not in agent.page("/me/security").document.headings


def test_a_second_second_step_brings_no_further_codes(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/passkeys")
    add_passkey(agent, page, SoftAuthenticator(house.settings.issuer))
    codes = codes_of(agent.page(PATH))
    page, _sent = add_passkey(
        agent, agent.page("/me/passkeys"), SoftAuthenticator(house.settings.issuer)
    )
    assert page.path == "/me/passkeys"
    assert codes_of(agent.page(PATH)) == codes
    assert kinds(house, alice).count("recovery_code") == 10
    visit(agent, "/me", alice)
