"""A provider that sends no mail offers nothing that needs one, and says who can help instead."""

from collections.abc import Iterator

import pytest

from idp.models import OutboxMessage, db
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.web.account.visits import visit
from tests.web.walking import housed, newcomer

ASK = "Ask your administrator for a new password"
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module", params=[None, "console:"], ids=["without", "with"])
def place(request: pytest.FixtureRequest, databases: Databases) -> Iterator[tuple[House, bool]]:
    """A house, and whether it sends mail."""
    settings = {"mail_url": request.param, "registration": True}
    with databases.fresh("sqlite") as url, housed(url, FakeClock(), **settings) as house:
        yield house, request.param is not None


@pytest.fixture
def house(place: tuple[House, bool]) -> House:
    return place[0]


@pytest.fixture
def mails(place: tuple[House, bool]) -> bool:
    return place[1]


@pytest.fixture
def shop(house: House) -> RelyingParty:
    return house.client(consent="never")


def test_the_sign_in_offers_no_link_and_no_way_to_a_new_password(
    house: House, mails: bool, shop: RelyingParty
) -> None:
    page = house.browser().page(shop.authorization_url())
    for words in ("Email me a sign-in link", "I’ve forgotten my password", "Create an account"):
        assert (words in page.document.text) is mails, words
    assert "Sign in" in page.document.text


def test_scripts_are_offered_none_either(house: House, mails: bool, shop: RelyingParty) -> None:
    agent = house.browser()
    page = agent.page(shop.authorization_url())
    choices = agent.client.get(page.path, headers=JSON).json()["choices"]
    assert "password" in choices
    assert ("magic_link" in choices) is mails


def test_whoever_knows_the_address_of_the_forms_is_told_whom_to_ask(
    house: House, mails: bool
) -> None:
    agent = house.browser()
    page = agent.page("/login/forgotten")
    assert page.status == 200
    assert (page.document.headings == [ASK]) is not mails
    assert ("Your administrator can make you a link" in page.document.text) is not mails
    start = agent.page("/login/")
    token = start.document.forms[0].fields["csrf_token"]
    typed = {"csrf_token": token, "username": newcomer(house).email}
    answer = agent.client.post("/login/forgotten", data=typed)
    assert (ASK in answer.text) is not mails
    with house.app.app_context():
        assert bool(db.session.query(OutboxMessage).count()) is mails
    assert (agent.client.get("/login/register").status_code == 200) is mails


def test_the_security_page_promises_no_mail(house: House, mails: bool) -> None:
    alice, agent = newcomer(house), house.browser()
    page = visit(agent, "/me/security", alice)
    text = page.document.text
    assert ("We can mail you a link" in text) is mails
    assert ("Your administrator can change it" in text) is not mails
    page = agent.page("/me/security/email")
    assert page.path == ("/me/security/email" if mails else "/me/security")
    assert ("No mail is sent from here." in page.document.text) is not mails
    told = agent.client.get("/me/security/email", headers=JSON)
    assert (told.status_code == 403) is not mails
