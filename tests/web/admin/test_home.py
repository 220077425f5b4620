"""The console's first page."""

from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.sign_in import sign_in, totp
from tests.helpers.user_agent import UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import housed, newcomer


def by_app(house: House) -> UserAgent:
    """An administrator with a password and an authenticator app, and no passkey."""
    person = newcomer(house, role="administrator")
    seed = house.totp(person)
    house.clock.advance(minutes=1)
    agent, shop = house.browser(), house.client(consent="never")
    sign_in(
        agent,
        shop.authorization_url(acr_values="urn:idp:acr:mfa"),
        username=person.email,
        password=person.password,
        answers={"totp": totp(seed, house.clock)},
    )
    return agent


def test_the_state_comes_first_in_words(house: House) -> None:
    document = signed_in_as(house, "administrator").page("/admin").document
    assert "All is in order." in document.text
    assert "Administrators 1" in document.text
    assert "Last sign-ins" in document.text


def test_it_is_found_with_a_slash_as_well(house: House) -> None:
    page = signed_in_as(house, "administrator").page("/admin/")
    assert page.url.endswith("/admin")


def test_where_no_mail_can_be_sent_that_is_said(sqlite_url: str, clock: FakeClock) -> None:
    with housed(sqlite_url, clock, mail_url=None) as house:
        text = signed_in_as(house, "administrator").page("/admin").document.text
    assert "No mail can be sent yet" in text


def test_an_administrator_without_a_passkey_is_led_to_one(house: House) -> None:
    page = by_app(house).page("/admin")
    assert page.link("Add a passkey").endswith("/me/passkeys")
    assert "Protect it with a passkey now" in page.document.text


def test_a_client_manager_sees_nobody(house: House) -> None:
    document = signed_in_as(house, "client_manager").page("/admin").document
    for told in ("Last sign-ins", "Administrators", "in order", "SQLite"):
        assert told not in document.text
    assert "Explain" in document.text
