"""Whoever asks to be kept signed in finds her address and her way at the next sign-in."""

import re

import pytest

from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import link_in, mails
from tests.web.walking import enter, gone, newcomer, press, shown


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture
def bob(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


def kept(town: House, shop: RelyingParty, person: Person, **ticked: str) -> UserAgent:
    """A browser in which she signed in by password, and whose session has ended since."""
    agent = town.browser()
    place = enter(agent, agent.page(shop.authorization_url()), person, **ticked)
    # Who is kept signed in is asked whether she would like a passkey.
    gone(press(agent, place, "/add", "Not now") if isinstance(place, Page) else place)
    town.clock.advance(days=40)
    return agent


def address(page: Page) -> str:
    return page.form("/password").fields["username"]


def test_who_ticked_the_box_finds_her_address(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = kept(town, shop, alice, remember="yes")
    page = agent.page(shop.authorization_url())
    assert address(page) == alice.email
    assert "Use another address" in page.document.text
    (cookie,) = [one for one in agent.cookies.jar if one.name == "idp_remembered"]
    assert alice.email not in str(cookie.value)
    assert address(town.browser().page(shop.authorization_url())) == ""


def test_who_did_not_leaves_nothing_behind(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = kept(town, shop, alice)
    page = agent.page(shop.authorization_url())
    assert address(page) == ""
    assert "Use another address" not in page.document.text


def test_the_way_that_was_used_last_is_marked(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    form = page.form("/password")
    typed = {"username": alice.email, "remember": "yes"}
    button = form.button("Email me a sign-in link")
    shown(agent.submit(page, form, typed, button=button))
    link = link_in(mails(town, alice.email)[-1])
    gone(press(agent, agent.page(link), "", "Sign in"))
    town.clock.advance(days=40)
    page = agent.page(shop.authorization_url())
    assert "Email me a sign-in link Last used" in page.document.text
    assert page.document.text.count("Last used") == 1
    hinted = agent.page(shop.authorization_url(login_hint="somebody@example.com"))
    assert address(hinted) == "somebody@example.com"
    assert "Last used" not in hinted.document.text


def test_it_is_forgotten_when_asked(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = kept(town, shop, alice, remember="yes")
    page = agent.page(shop.authorization_url())
    page = shown(press(agent, page, "/leave", "Use another address"))
    assert address(page) == ""
    assert address(agent.page(shop.authorization_url())) == ""


def test_it_is_forgotten_when_somebody_else_signs_in(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = kept(town, shop, alice, remember="yes")
    gone(enter(agent, agent.page(shop.authorization_url()), bob))
    town.clock.advance(days=40)
    assert address(agent.page(shop.authorization_url())) == ""


def test_what_is_not_ours_is_no_address(town: House, shop: RelyingParty) -> None:
    sealed = town.do(lambda services: services.box.seal("one text"))
    for value in ("nonsense", sealed, re.sub("[a-z]", "A", sealed)):
        agent = town.browser()
        agent.cookies.set("idp_remembered", value, domain="localhost.local", path="/")
        assert address(agent.page(shop.authorization_url())) == ""
