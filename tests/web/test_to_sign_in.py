"""A new account and a new password end at a sign-in that says so, with the address filled in."""

from collections.abc import Iterator

import pytest

from idp.services.account_fields import Fields
from tests.helpers.clock import FakeClock
from tests.helpers.house import PASSWORD, House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import typed
from tests.helpers.user_agent import Page, Place, UserAgent
from tests.web.account.visits import link_in, mails, visit
from tests.web.walking import housed, shown, told, user_of

NEW = "seven grey herons over the weir"
MADE = "Your account is made. Sign in to go on."
CHANGED = "Your new password is set, and you were signed out everywhere else."


@pytest.fixture(params=["combined", "identifier_first"])
def open_house(
    sqlite_url: str, clock: FakeClock, request: pytest.FixtureRequest
) -> Iterator[House]:
    with housed(sqlite_url, clock, registration=True, login_style=request.param) as house:
        yield house


@pytest.fixture
def shop(open_house: House) -> RelyingParty:
    return open_house.client(consent="never")


def asked_for_account(house: House, agent: UserAgent, start: str, email: str) -> str:
    """The link that was mailed to this address."""
    page = agent.page(agent.page(start).link("Create an account"))
    agent.submit(page, page.form("/register"), {"username": email})
    return link_in(mails(house, to=email)[-1])


def account_made(agent: UserAgent, link: str) -> Page:
    page = agent.page(link)
    return shown(
        agent.submit(page, page.document.forms[0], {"name": "Ann", "new_password": PASSWORD})
    )


def address_in(page: Page) -> str:
    """What stands in the field of the address."""
    (field,) = (one.inputs["username"] for one in page.document.forms if "username" in one.inputs)
    return field.get("value", "")


def signed_in(agent: UserAgent, page: Page, password: str) -> Place:
    """With what stands in the form already."""
    if not any("password" in form.inputs for form in page.document.forms):
        page = shown(agent.submit(page, page.form("/identify")))
    return agent.submit(page, page.form("/password"), {"password": password})


def test_a_new_account_goes_on_with_the_sign_in_it_was_made_for(
    open_house: House, shop: RelyingParty
) -> None:
    agent = open_house.browser()
    link = asked_for_account(open_house, agent, shop.authorization_url(), "ann@example.com")
    page = account_made(agent, link)
    assert page.document.headings == ["Sign in to Shop"]
    assert MADE in page.document.text
    assert address_in(page) == "ann@example.com"
    assert "code" in told(signed_in(agent, page, PASSWORD))


def test_so_it_does_in_another_browser(open_house: House, shop: RelyingParty) -> None:
    asking, other = open_house.browser(), open_house.browser()
    url = shop.authorization_url()
    page = account_made(other, asked_for_account(open_house, asking, url, "ann@example.com"))
    assert page.document.headings == ["Sign in to Shop"]
    assert MADE in page.document.text
    assert address_in(page) == "ann@example.com"


def test_where_the_account_was_asked_for_the_form_for_one_is_not_shown_again(
    open_house: House, shop: RelyingParty
) -> None:
    asking, other = open_house.browser(), open_house.browser()
    page = asking.page(shop.authorization_url(prompt="create"))
    asking.submit(page, page.form("/register"), {"username": "ann@example.com"})
    page = account_made(other, link_in(mails(open_house, to="ann@example.com")[-1]))
    assert page.document.headings == ["Sign in to Shop"]


def test_one_made_for_itself_leads_to_its_own_pages(open_house: House) -> None:
    agent = open_house.browser()
    page = account_made(agent, asked_for_account(open_house, agent, "/login/", "ann@example.com"))
    assert MADE in page.document.text
    assert address_in(page) == "ann@example.com"
    assert shown(signed_in(agent, page, PASSWORD)).path in ("/me", "/me/prompt")


def test_whoever_is_signed_in_meanwhile_does_not_take_its_place(open_house: House) -> None:
    asking, other = open_house.browser(), open_house.browser()
    bob = open_house.person("bob@example.com")
    link = asked_for_account(open_house, asking, "/login/", "ann@example.com")
    visit(other, "/me", bob, {"identify": typed(username=bob.email)})
    page = account_made(other, link)
    assert MADE in page.document.text
    assert address_in(page) == "ann@example.com"


def asked_for_password(house: House, agent: UserAgent, start: str, email: str) -> str:
    page = agent.page(start)
    sign_in_id = page.path.split("/")[2]
    page = agent.page(f"/login/forgotten?sign_in={sign_in_id}")
    agent.submit(page, page.form("/forgotten"), {"username": email})
    return link_in(mails(house, to=email)[-1])


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another browser"])
def test_a_new_password_goes_on_with_the_sign_in_it_was_lost_in(
    open_house: House, shop: RelyingParty, *, elsewhere: bool
) -> None:
    alice, agent = open_house.person(), open_house.browser()
    link = asked_for_password(open_house, agent, shop.authorization_url(), alice.email)
    agent = open_house.browser() if elsewhere else agent
    page = agent.page(link)
    page = shown(agent.submit(page, page.document.forms[0], {"new_password": NEW}))
    assert page.document.headings == ["Sign in to Shop"]
    assert CHANGED in page.document.text
    assert address_in(page) == alice.email
    assert "code" in told(signed_in(agent, page, NEW))


def test_a_link_from_an_administrator_leads_to_a_sign_in_of_its_own(open_house: House) -> None:
    alice, agent = open_house.person(), open_house.browser()
    link = open_house.do(
        lambda services: services.password_reset.link(user_of(services, alice), open_house.context)
    )
    page = agent.page(link)
    page = shown(agent.submit(page, page.document.forms[0], {"new_password": NEW}))
    assert CHANGED in page.document.text
    assert address_in(page) == alice.email


def test_a_first_password_is_not_called_a_new_one(open_house: House, shop: RelyingParty) -> None:
    ann, agent = "ann@example.com", open_house.browser()
    with open_house.app.app_context():
        wanted: Fields = {"email": ann, "email_verified": True}
        open_house.services.accounts.create(wanted, open_house.context)
    page = agent.page(asked_for_password(open_house, agent, shop.authorization_url(), ann))
    assert page.document.headings == ["Choose a password"]
    assert "signed out" not in page.document.text
    page = shown(agent.submit(page, page.document.forms[0], {"new_password": NEW}))
    assert "Your password is set. Sign in with it to go on." in page.document.text
    assert mails(open_house)[-1]["subject"] == "Gatehouse: Your password was set."
