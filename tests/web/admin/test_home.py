"""The console's first page."""

import pytest

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
    assert "2 things need attention. " in document.text
    assert "http://localhost:8000 is without TLS: good for this machine only" in document.text
    assert "Administrator 1" in document.text
    assert "Last sign-ins" in document.text


def test_as_many_things_stand_beneath_as_are_said_to_need_attention(
    sqlite_url: str, clock: FakeClock
) -> None:
    """What is suggested comes after them: it is one more, and not counted."""
    with housed(sqlite_url, clock, issuer="https://id.example", mail_url="console:") as it:
        page = signed_in_as(it, "administrator").page("/admin").document
    said, suggested = (
        page.text.index(words) for words in ("One thing needs attention.", "You are the only")
    )
    between = page.text[said:suggested]
    assert between.count("Look at this") + between.count("Problem") == 1


def test_in_order_is_what_was_looked_at(sqlite_url: str, clock: FakeClock) -> None:
    """Elsewhere are a mail server and a certificate, which the page of health asks for."""
    with housed(
        sqlite_url, clock, issuer="https://id.example", mail_url="smtp://127.0.0.1:9"
    ) as it:
        page = signed_in_as(it, "administrator").page("/admin")
    assert "All that is seen without asking others is in order." in page.document.text
    assert page.link("Ask the mail server and look from outside, too").endswith("/admin/health")


@pytest.mark.parametrize("mail_url", [None, "console:"])
def test_what_needs_no_asking_is_found_on_both_pages(
    sqlite_url: str, clock: FakeClock, mail_url: str | None
) -> None:
    with housed(sqlite_url, clock, issuer="http://localhost:9", mail_url=mail_url) as it:
        agent = signed_in_as(it, "administrator")
        first, health = (agent.page(path).document.text for path in ("/admin", "/admin/health"))
    assert "2 things need attention." in first
    assert "2 things need attention." in health


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
    for told in ("Last sign-ins", "What is here", "in order", "SQLite"):
        assert told not in document.text
    assert "Explain" in document.text
