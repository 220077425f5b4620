"""The console explains a sign-in, to administrators who have shown who they are."""

from urllib.parse import urlencode

import pytest

from tests.helpers.house import House, Person
from tests.helpers.sign_in import passkey, sign_in
from tests.helpers.signed_requests import jwks_of, signed
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import gone


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


def test_what_was_pushed_is_looked_at_and_stays_unused(house: House, alice: Person) -> None:
    shop = house.client(consent="never")
    answer = shop.post("/oauth/par", shop.authorization_parameters(scope="openid email"))
    asked = {"client_id": shop.client_id, "request_uri": answer.json()["request_uri"]}
    url = f"{house.settings.issuer}/oauth/authorize?{urlencode(asked)}"
    agent = inside(house, alice)
    for _ in range(2):
        text = explained(agent, url=url, evidence="passkey", person=alice.email)
        assert "This request is answered with tokens" in text
        assert "pushed" in text
        assert 'scope: "openid email"' in text
    assert shop.finish(gone(agent.get(url))).claims["sub"] == alice.id
    over = explained(agent, url=url)
    assert "invalid_request_uri: request_uri is unknown, used, expired" in over
    assert "RFC 9126 section 4" in over
    assert "Registered:" not in over


def test_what_is_signed_is_verified(house: House, alice: Person) -> None:
    shop = house.client(consent="never", jwks=jwks_of("ES256"))
    agent, claims = inside(house, alice), shop.authorization_parameters(scope="openid email")
    asked = {"client_id": shop.client_id, "request": signed(claims)}
    text = explained(agent, url=urlencode(asked), evidence="passkey", person=alice.email)
    assert "signed" in text
    assert 'scope: "openid email"' in text
    wrong = explained(agent, url=urlencode({**asked, "request": asked["request"][:-9]}))
    assert "invalid_request_object: The request object is not accepted" in wrong
    assert "RFC 9101" in wrong
    assert "Answered by a page of our own" in wrong


def test_an_id_token_alone_tells_of_the_person(house: House, alice: Person) -> None:
    shop = house.client(
        consent="never", response_types=["id_token"], grant_types=["implicit"], scope="openid email"
    )
    url = shop.authorization_url(response_type="id_token", scope="openid email")
    text = explained(inside(house, alice), url=url, evidence="passkey", person=alice.email)
    assert f'email: "{alice.email}"' in text
    assert "Userinfo would tell" not in text


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


def test_all_that_cannot_be_read_is_named_at_once(house: House, alice: Person) -> None:
    text = explained(
        inside(house, alice), url="", person="nobody@example.com", evidence="palmistry"
    )
    missing = "Paste the address that an application sends people to."
    for told in (missing, "Nobody is called so.", "palmistry is none of"):
        assert text.count(told) >= 2, "in the summary, and at its field"


def test_pressed_with_nothing_typed_it_says_what_is_missing(house: House, alice: Person) -> None:
    agent = inside(house, alice)
    page = agent.page("/admin/explain")
    assert "There is a problem" not in page.document.text
    refused = agent.submit(page, page.form("/admin/explain"))
    assert isinstance(refused, Page)
    assert refused.status == 422
    assert "Paste the address that an application sends people to." in refused.document.text
    assert 'aria-describedby="url-hint url-error"' in refused.response.text


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
