"""The console explains a sign-in, to administrators who have shown who they are."""

from urllib.parse import urlencode

import pytest

from tests.helpers.house import House, Person
from tests.helpers.sign_in import passkey, sign_in
from tests.helpers.user_agent import Page, UserAgent


@pytest.fixture
def alice(house: House) -> Person:
    return house.person(role="administrator")


def inside(house: House, alice: Person) -> UserAgent:
    agent, shop = house.browser(), house.client(consent="never")
    sign_in(agent, shop.authorization_url(), answers={"passkey": passkey(house.passkey(alice))})
    return agent


def explained(agent: UserAgent, **values: str) -> str:
    return agent.page(f"/admin/explain?{urlencode(values)}").document.text


def test_what_a_person_would_be_asked_and_why(house: House, alice: Person) -> None:
    bob, shop = house.person("bob@example.com"), house.client()
    house.totp(bob)
    agent = inside(house, alice)
    url = shop.authorization_url(acr_values="urn:idp:acr:mfa")
    text = explained(agent, url=url, person=bob.email, evidence="pwd@3h")
    assert "This person is asked for more" in text
    assert "totp: enough by itself" in text
    assert "password 3 h ago" in text


def test_what_the_tokens_would_say(house: House, alice: Person) -> None:
    bob, shop = house.person("bob@example.com"), house.client()
    text = explained(
        inside(house, alice), url=shop.authorization_url(), person=bob.email, evidence="pwd"
    )
    assert "This request is answered with tokens" in text
    assert 'amr: ["pwd"]' in text


def test_which_error_and_by_which_clause(house: House, alice: Person) -> None:
    shop = house.client()
    url = shop.authorization_url(acr_values="level-9")
    text = explained(inside(house, alice), url=url)
    assert "This request fails" in text
    assert "unmet_authentication_requirements" in text
    assert "Clause:" in text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"person": "nobody@example.com"}, "Nobody is called so."),
        ({"evidence": "palmistry"}, "palmistry is none of"),
        ({"evidence": "pwd@soon"}, "soon is not an age"),
    ],
)
def test_what_cannot_be_read_is_named(
    house: House, alice: Person, values: dict[str, str], told: str
) -> None:
    assert told in explained(inside(house, alice), url="client_id=x", **values)


def test_nobody_else_finds_it(house: House) -> None:
    bob, shop = house.person("bob@example.com"), house.client(consent="never")
    agent = house.browser()
    answers = {"passkey": passkey(house.passkey(bob))}
    sign_in(agent, shop.authorization_url(), answers=answers)
    assert agent.page("/admin/explain").status == 404


def test_an_administrator_with_a_password_alone_is_led_to_something_stronger(
    house: House, alice: Person
) -> None:
    shop, agent = house.client(consent="never"), house.browser()
    url = shop.authorization_url()
    sign_in(agent, url, username=alice.email, password=alice.password)
    page = agent.page("/admin/explain")
    assert page.document.headings[0] == "Confirm it’s you"
    place = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert isinstance(place, Page)
    assert "Set up a passkey" in place.document.text
