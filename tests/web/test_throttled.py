"""Guessing is slowed down for who guesses, and nobody else is locked out by it."""

import pyotp
import pytest

from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import passkey
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import mails
from tests.web.walking import (
    enter,
    event_names,
    gone,
    newcomer,
    press,
    shown,
    signed_in,
    silently,
    tokens_of,
)


@pytest.fixture
def town(house: House) -> House:
    """With counts of its own: these tests fill them."""
    return house


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


def guess_out(house: House, shop: RelyingParty, person: Person, tries: int = 10) -> Page:
    """Somebody guesses until they are told to wait; returns that page."""
    agent = house.browser()
    page = agent.page(shop.authorization_url())
    for _ in range(tries):
        page = shown(enter(agent, page, person, password="a guess"))
        assert page.status == 422
    page = shown(enter(agent, page, person, password="a guess"))
    assert page.status == 429
    return page


def test_who_guesses_is_told_how_long_to_wait_and_what_else_there_is(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    page = guess_out(town, shop, alice)
    text = "Too many tries. Wait 15 minutes, or email yourself a link."
    assert text in page.document.text
    assert page.response.headers["Retry-After"] == "900"
    assert page.form("/password").button("Email me a sign-in link")
    assert "login.password.throttled" in event_names(town, user_id=alice.id)


def test_the_wait_grows_no_longer_and_ends(town: House, shop: RelyingParty, alice: Person) -> None:
    guess_out(town, shop, alice)
    town.clock.advance(minutes=14, seconds=30)
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    assert (page.status, "Wait 1 minute," in page.document.text) == (429, True)
    town.clock.advance(seconds=30)
    assert gone(enter(agent, page, alice)).parameters["code"]


def test_the_right_password_has_to_wait_as_well(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    guess_out(town, shop, alice)
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    assert page.status == 429
    assert silently(agent, shop) == "login_required"


def test_the_owners_own_browser_does_not_notice(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    guess_out(town, shop, alice)
    town.clock.advance(minutes=1)
    assert tokens_of(agent, shop, alice, prompt="login").claims["amr"] == ["pwd"]
    press(agent, agent.page("/me"), "/sign-out", "Sign out")
    assert tokens_of(agent, shop, alice).claims["sub"] == alice.id


def test_another_persons_browser_is_no_better_than_any(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    bob = newcomer(town)
    agent = signed_in(town, shop, bob)
    guess_out(town, shop, alice)
    page = agent.page(shop.authorization_url(prompt="select_account"))
    page = shown(press(agent, page, "/account", "Use another account"))
    assert shown(enter(agent, page, alice)).status == 429


def test_a_browser_she_knows_may_not_guess_for_ever_either(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    press(agent, agent.page("/me"), "/sign-out", "Sign out")
    page = agent.page(shop.authorization_url())
    for _ in range(10):
        page = shown(enter(agent, page, alice, password="a guess"))
        assert page.status == 422
    assert shown(enter(agent, page, alice)).status == 429


def test_other_ways_are_not_shut_with_the_password(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    soft = town.passkey(alice)
    guess_out(town, shop, alice)
    tokens = tokens_of(town.browser(), shop, answers={"passkey": passkey(soft)})
    assert tokens.claims["sub"] == alice.id


def test_a_mailed_code_still_works_and_opens_the_password_again(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    guess_out(town, shop, alice)
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    form = page.form("/password")
    mail = form.button("Email me a sign-in link")
    page = shown(agent.submit(page, form, {"username": alice.email}, button=mail))
    words = mails(town, alice.email)[-1]["text"].split()
    code = next(word for word in words if word.isdigit() and len(word) == 6)
    assert gone(agent.submit(page, page.form("/magic_link"), {"code": code})).parameters["code"]
    other = town.browser()
    assert gone(enter(other, other.page(shop.authorization_url()), alice))


def test_other_people_are_not_shut_out(town: House, shop: RelyingParty, alice: Person) -> None:
    guess_out(town, shop, alice)
    bob = newcomer(town)
    assert tokens_of(town.browser(), shop, bob).claims["sub"] == bob.id


def test_an_address_and_a_user_name_are_counted_as_one(town: House, shop: RelyingParty) -> None:
    ana = newcomer(town, username="ana")
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    for username in ["ana", ana.email] * 5:
        page = shown(enter(agent, page, ana, username=username, password="a guess"))
        assert page.status == 422
    assert shown(enter(agent, page, ana)).status == 429
    assert shown(enter(agent, page, ana, username="ANA")).status == 429


def test_a_new_sign_in_is_no_new_beginning(town: House, shop: RelyingParty, alice: Person) -> None:
    for _ in range(10):
        agent = town.browser()
        page = agent.page(shop.authorization_url())
        assert shown(enter(agent, page, alice, password="a guess")).status == 422
    agent = town.browser()
    assert shown(enter(agent, agent.page(shop.authorization_url()), alice)).status == 429


def test_a_right_answer_empties_the_count(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    for _ in range(9):
        page = shown(enter(agent, page, alice, password="a guess"))
    assert gone(enter(agent, page, alice))
    guess_out(town, shop, alice)


def at_the_code(house: House, shop: RelyingParty, alice: Person) -> tuple[UserAgent, Page]:
    agent = house.browser()
    return agent, shown(enter(agent, agent.page(shop.authorization_url()), alice))


def guess_codes(agent: UserAgent, page: Page) -> Page:
    for _ in range(5):
        page = shown(agent.submit(page, page.form("/totp"), {"otp": "000000"}))
        assert page.status == 422
    page = shown(agent.submit(page, page.form("/totp"), {"otp": "000000"}))
    assert page.status == 429
    return page


def test_codes_are_guessed_at_five_times(town: House, shop: RelyingParty, alice: Person) -> None:
    seed = town.totp(alice)
    codes = town.recovery_codes(alice)
    town.clock.advance(minutes=1)
    agent, page = at_the_code(town, shop, alice)
    page = guess_codes(agent, page)
    assert "Too many tries. Wait 15 minutes, or use another way." in page.document.text
    right = pyotp.TOTP(seed).at(town.clock())
    assert shown(agent.submit(page, page.form("/totp"), {"otp": right})).status == 429
    other = agent.page(page.link("Use a recovery code"))
    place = agent.submit(other, other.form("/recovery_code"), {"recovery_code": codes[0]})
    assert shop.finish(gone(place)).claims["amr"] == ["pwd", "recovery", "mfa"]


def test_with_nothing_else_to_do_it_says_only_to_wait(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    page = guess_codes(*at_the_code(town, shop, alice))
    assert "Too many tries. Wait 15 minutes." in page.document.text


def test_the_password_again_buys_no_more_codes(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    guess_codes(*at_the_code(town, shop, alice))
    agent, page = at_the_code(town, shop, alice)
    assert shown(agent.submit(page, page.form("/totp"), {"otp": "000000"})).status == 429


def test_mails_are_counted_too(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    statuses = []
    for _ in range(6):
        page = agent.page(shop.authorization_url())
        form = page.form("/password")
        mail = form.button("Email me a sign-in link")
        place = agent.submit(page, form, {"username": alice.email}, button=mail)
        statuses.append(shown(place).status)
    assert statuses == [200] * 5 + [429]
    assert 3500 < int(shown(place).response.headers["Retry-After"]) <= 3600
    assert len(mails(town, alice.email)) == 5


def test_a_throttled_reset_is_answered_as_ever(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    for _ in range(7):
        page = agent.page("/login/forgotten")
        place = shown(agent.submit(page, page.form("/forgotten"), {"username": alice.email}))
        assert (place.status, place.document.headings) == (200, ["Check your email"])
    assert len(mails(town, alice.email)) == 5
