"""What is said of a passkey that did not work: true where it is said, and found again."""

import json

import pytest

from idp.models import AuditEvent, db
from idp.services.repeated import ALIKE
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import JSON, entered, press
from tests.web.walking import enter, shown

GARBLED = "{}"
ADDRESS_REFUSED = '{"error":"SecurityError"}'
"""What the page's script sends where the browser says so."""
FAILED = "The passkey did not work this time. Try again"


@pytest.fixture
def alice(house: House) -> Person:
    return house.person()


def at_her_passkey(house: House, shop: RelyingParty, alice: Person) -> tuple[UserAgent, Page]:
    house.passkey(alice)
    agent = house.browser()
    return agent, shown(enter(agent, agent.page(shop.authorization_url()), alice))


def answered(agent: UserAgent, page: Page, answer: str) -> Page:
    return press(agent, page, "/passkey", passkey_response=answer)


def test_no_other_way_is_spoken_of_where_there_is_none(house: House, alice: Person) -> None:
    agent, page = at_her_passkey(house, house.client(), alice)
    failed = answered(agent, page, GARBLED)
    assert f"{FAILED}." in failed.document.text
    assert "another way" not in failed.response.text
    said = agent.client.post(page.form("/passkey").action, json={"passkey_response": GARBLED})
    assert said.json()["message"] == f"{FAILED}."


def test_where_there_is_one_it_is_spoken_of(house: House, alice: Person) -> None:
    house.totp(alice)
    agent, page = at_her_passkey(house, house.client(), alice)
    failed = answered(agent, page, GARBLED)
    assert f"{FAILED}, or use another way." in failed.document.text
    assert failed.response.text.count("or use another way") > 1, "by the page's script, too"


def test_on_the_first_page_there_are_others(house: House, alice: Person) -> None:
    agent = house.browser()
    page = agent.page(house.client().authorization_url())
    assert "Try again, or use another way." in page.response.text
    form = page.form("/password")
    button = next(one for one in form.scripted if (one.action or "").endswith("/passkey"))
    failed = agent.submit(page, form, {"passkey_response": GARBLED}, button=button)
    assert f"{FAILED}, or use another way." in shown(failed).document.text


def test_setting_one_up_speaks_of_no_other_way(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/security/passkey/new")
    assert "another way" not in page.response.text
    failed = answered(agent, page, GARBLED)
    assert "another way" not in failed.response.text
    assert "No passkey was added. Nothing changed." in failed.document.text


def reference_on(page: Page) -> str:
    told = "Passkeys are not set up for this address. Tell your administrator (ref "
    assert told in page.document.text
    return page.document.text.partition(told)[2][:8]


def event_of(house: House, reference: str) -> tuple[str, str, str | None]:
    with house.app.app_context():
        (found,) = db.session.query(AuditEvent).filter_by(reference=reference)
        return found.name, found.data["reason"], found.user_id


def test_an_address_without_passkeys_is_found_by_its_reference(house: House, alice: Person) -> None:
    agent, page = at_her_passkey(house, house.client(), alice)
    refused = answered(agent, page, ADDRESS_REFUSED)
    first = event_of(house, reference_on(refused))
    assert first == ("login.passkey.refused", "not_set_up", alice.id)
    again = answered(agent, refused, ADDRESS_REFUSED)
    assert reference_on(again) != reference_on(refused)
    for _ in range(9):  # it is no guess, so that nobody is locked out by it
        again = answered(agent, again, ADDRESS_REFUSED)
    assert again.status == 422


def test_so_it_is_where_one_is_set_up(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/security/passkey/new")
    refused = answered(agent, page, ADDRESS_REFUSED)
    found = event_of(house, reference_on(refused))
    assert found == ("passkey.refused", "not_set_up", alice.id)


def test_a_script_is_told_the_reference_as_well(house: House, alice: Person) -> None:
    agent, page = at_her_passkey(house, house.client(), alice)
    url = page.form("/passkey").action
    for sent in (ADDRESS_REFUSED, json.loads(ADDRESS_REFUSED)):
        answered = agent.client.post(url, json={"passkey_response": sent}, headers=JSON)
        told = answered.json()["message"]
        assert event_of(house, told.partition("(ref ")[2][:8])[1] == "not_set_up"


@pytest.mark.parametrize(("sent", "rows"), [(ADDRESS_REFUSED, ALIKE), ("", 0), (GARBLED, ALIKE)])
def test_whoever_is_nobody_does_not_fill_the_log(house: House, sent: str, rows: int) -> None:
    """Without a name nothing is counted against anybody, so it goes on as long as one likes."""
    agent = house.browser()
    form = agent.page(house.client().authorization_url()).form("/password")
    url = next(one.action for one in form.scripted if (one.action or "").endswith("/passkey"))
    for _ in range(ALIKE + 9):
        refused = agent.client.post(str(url), json={"passkey_response": sent}, headers=JSON)
        assert refused.status_code == 401
    with house.app.app_context():
        written = db.session.query(AuditEvent).filter_by(name="login.passkey.refused").count()
    assert rows <= written <= rows + bool(rows), (
        "a second reason, once there is no ceremony any more"
    )
