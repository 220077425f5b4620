"""A sign-in link that an administrator hands over: once, soon, and no way around a second step."""

import pytest

from tests.helpers.house import House, Person
from tests.helpers.sign_in import sign_in, totp, walk
from tests.helpers.user_agent import Page, Place, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import event_names, events, newcomer, shown, user_of


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


@pytest.fixture
def bob(town: House) -> Person:
    return newcomer(town)


def hand_over(admin: UserAgent, person: Person) -> str:
    page = admin.page(f"/admin/people/{person.id}")
    link_page = shown(admin.submit(page, page.form("/sign-in-link")))
    assert link_page.response.headers["Cache-Control"] == "no-store"
    assert "a second step is still asked for" in link_page.document.text
    return next(word for word in link_page.document.text.split() if "/login/handed/" in word)


def use(agent: UserAgent, link: str) -> Place:
    page = agent.page(link)
    assert "works once" in page.document.text
    return agent.submit(page, page.form(page.path))


def test_it_signs_in_once_and_says_what_it_was(town: House, admin: UserAgent, bob: Person) -> None:
    link, browser = hand_over(admin, bob), town.browser()
    assert shown(use(browser, link)).path in ("/me", "/me/prompt")
    assert browser.page("/me").status == 200
    again = town.browser().page(link)
    assert again.status == 410
    shop = town.client(consent="never")
    departure = sign_in(browser, shop.authorization_url())
    claims = shop.finish(departure).claims
    assert (claims["acr"], claims["amr"]) == ("urn:idp:acr:1fa", ["recovery"])
    assert event_names(town, user_id=bob.id)[1:] == [
        "login.handed_link.made",
        "login.handed_link.accepted",
    ]
    assert events(town, user_id=bob.id)[-2].actor_id
    seen = admin.page(f"/admin/people/{bob.id}").document.text
    assert f"{bob.email} signed in with an administrator’s link." in seen


def test_looking_at_it_spends_nothing(town: House, admin: UserAgent, bob: Person) -> None:
    link = hand_over(admin, bob)
    for _ in range(2):
        assert town.browser().page(link).status == 200
    assert shown(use(town.browser(), link)).status == 200


def test_a_newer_one_ends_it_and_so_do_ten_minutes(
    town: House, admin: UserAgent, bob: Person
) -> None:
    old, new = hand_over(admin, bob), hand_over(admin, bob)
    assert town.browser().page(old).status == 410
    town.clock.advance(minutes=10)
    assert town.browser().page(new).status == 410


def test_a_second_step_is_still_asked_for(town: House, admin: UserAgent, bob: Person) -> None:
    seed = town.totp(bob)
    link, browser = hand_over(signed_in_as(town, "administrator"), bob), town.browser()
    asked = shown(use(browser, link))
    assert "otp" in {name for form in asked.document.forms for name in form.inputs}
    assert not isinstance(browser.get("/me"), Page) or browser.page("/me").path != "/me"
    town.clock.advance(minutes=1)
    shop = town.client(consent="never")
    with pytest.raises(AssertionError, match="stuck at 200 /me"):
        walk(browser, asked, {"totp": totp(seed, town.clock)})
    claims = shop.finish(sign_in(browser, shop.authorization_url())).claims
    assert claims["amr"] == ["otp", "recovery"]
    assert claims["acr"] == "urn:idp:acr:1fa"


def test_it_lets_nobody_in_whose_account_is_disabled(
    town: House, admin: UserAgent, bob: Person
) -> None:
    link = hand_over(signed_in_as(town, "administrator"), bob)
    town.do(lambda services: services.accounts.disable(user_of(services, bob), town.context))
    assert town.browser().page(link).status == 410
    page = shown(signed_in_as(town, "administrator").get(f"/admin/people/{bob.id}"))
    assert "Disabled" in page.document.text


def test_who_takes_no_mailed_links_takes_none_of_these(town: House, bob: Person) -> None:
    link, browser = hand_over(signed_in_as(town, "administrator"), bob), town.browser()
    assert shown(use(browser, link)).status == 200
    strict = town.client(consent="never", refused_methods=["magic_link"])
    page = shown(browser.get(strict.authorization_url()))
    assert page.document.headings[0] == "Confirm it’s you"


def test_whoever_was_signed_in_there_is_signed_out(
    town: House, admin: UserAgent, bob: Person
) -> None:
    other, shop = newcomer(town), town.client(consent="never")
    browser = town.browser()
    sign_in(browser, shop.authorization_url(), username=other.email, password=other.password)
    link = hand_over(signed_in_as(town, "administrator"), bob)
    assert "They will be signed out" in browser.page(link).document.text
    assert bob.email in shown(use(browser, link)).document.text
    assert "session.ended" in event_names(town, user_id=other.id)
