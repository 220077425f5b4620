"""Another address: a link to the new one, and a way back from the old one."""

from typing import Any

import pytest

from idp.models import User, db
from tests.helpers.house import House, Person
from tests.helpers.sign_in import Stuck
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import entered, events, link_in, mails, press, visit

PATH = "/me/security/email"
NEW = "alice@new.example"


def asked(house: House, alice: Person, to: str = NEW) -> UserAgent:
    """A browser in which she has asked for another address."""
    agent, page = entered(house, alice, PATH)
    page = press(agent, page, "/security/email", email=to)
    assert page.path == PATH, page.document.text
    return agent


def opened(house: House, link: str) -> Page:
    """Opened by a mail client, wherever that is, and the button pressed."""
    agent = house.browser()
    page = agent.page(link)
    assert page.status == 200, page.document.text
    return press(agent, page, page.path)


def address(house: House, person: Person) -> str:
    with house.app.app_context():
        return db.session.get_one(User, person.id).email


def way_back(house: House, to: str) -> dict[str, Any]:
    """The mail that tells this address that another took its place."""
    letters = mails(house, to)
    return next(one for one in letters if "take it back here" in one["text"])


def renamed(alice: Person) -> Person:
    return Person(alice.id, NEW, alice.password)


def test_the_address_changes_once_the_link_is_used(house: House, alice: Person) -> None:
    agent = asked(house, alice)
    page = agent.page(PATH)
    assert f"We sent a link to {NEW} . Your address changes" in page.document.text
    assert f"waiting for {NEW}" in agent.page("/me/security").document.text
    (letter,) = mails(house, NEW)
    link = link_in(letter)
    assert link.startswith(house.settings.issuer)
    looked = house.browser().page(link)  # a scanner looks, too
    assert "Use this email address?" in looked.document.headings
    assert address(house, alice) == alice.email
    done = opened(house, link)
    assert "Your email address is changed" in done.document.headings
    assert address(house, alice) == NEW
    visit(house.browser(), "/me", renamed(alice))
    with pytest.raises((Stuck, AssertionError)):
        visit(house.browser(), "/me", alice)
    assert house.browser().page(link).status == 410
    assert "waiting for" not in agent.page("/me/security").document.text


def test_the_old_address_is_told_and_can_take_it_back_for_a_week(
    house: House, alice: Person
) -> None:
    agent = asked(house, alice)
    opened(house, link_in(mails(house, NEW)[0]))
    letter = way_back(house, alice.email)
    assert letter["subject"] == f"Gatehouse: Your email address was changed to {NEW}."
    link = link_in(letter)
    thief, _page = entered(house, renamed(alice), "/me")
    house.clock.advance(days=6, hours=23)
    assert "Take the change back?" in house.browser().page(link).document.headings
    done = opened(house, link)
    assert "Your email address is back" in done.document.headings
    assert address(house, alice) == alice.email
    for browser in (agent, thief):
        assert browser.page("/me").path.startswith("/login/")
    assert house.browser().page(link).status == 410
    assert events(house, alice).count("email.change.undone") == 1
    assert done.link("Choose a new password").endswith("/login/forgotten")


def test_the_old_address_is_told_when_it_is_asked_for_and_can_call_it_off(
    house: House, alice: Person
) -> None:
    asked(house, alice)
    (letter,) = mails(house, alice.email)
    assert letter["subject"] == f"Gatehouse: Your email address is to change to {NEW}."
    assert "If not, call it off here, and choose a new password:" in letter["text"]
    assert "Call it off</a>" in letter["html"]
    agent, page = entered(house, alice, link_in(letter))
    press(agent, page, "/email/forget")
    assert house.browser().page(link_in(mails(house, NEW)[0])).status == 410


def test_what_a_thief_asked_for_does_not_outlive_a_new_password(
    house: House, alice: Person
) -> None:
    """The password was stolen; its owner sets another by a link."""
    asked(house, alice, "thief@evil.example")
    owner = house.browser()
    page = owner.page("/login/forgotten")
    owner.submit(page, page.form("/forgotten"), {"username": alice.email})
    reset = next(letter for letter in mails(house, alice.email) if letter["template"] == "reset")
    link = link_in(mails(house, "thief@evil.example")[0])
    thief = house.browser()
    waiting = thief.page(link)
    page = owner.page(link_in(reset))
    owner.submit(page, page.document.forms[0], {"new_password": "wet gravel under slow wheels"})
    assert press(thief, waiting, waiting.path).status == 410
    assert address(house, alice) == alice.email


def test_after_a_week_it_cannot(house: House, alice: Person) -> None:
    asked(house, alice)
    opened(house, link_in(mails(house, NEW)[0]))
    house.clock.advance(days=7)
    assert house.browser().page(link_in(way_back(house, alice.email))).status == 410


def test_the_first_way_back_works_after_a_second_change_and_ends_the_others(
    house: House, alice: Person
) -> None:
    """A thief who changes it twice is undone as a whole."""
    asked(house, alice)
    opened(house, link_in(mails(house, NEW)[0]))
    newer = "thief@evil.example"
    agent, page = entered(house, renamed(alice), PATH)
    press(agent, page, "/security/email", email=newer)
    opened(house, link_in(mails(house, newer)[0]))
    assert address(house, alice) == newer
    opened(house, link_in(way_back(house, alice.email)))
    assert address(house, alice) == alice.email
    second = link_in(way_back(house, NEW))
    assert house.browser().page(second).status == 410


def test_whether_an_address_has_an_account_is_not_told(
    house: House, alice: Person, bob: Person
) -> None:
    agent, page = entered(house, alice, PATH)
    free = press(agent, page, "/security/email", email="free@example.org")
    taken = press(agent, agent.page(PATH), "/security/email", email=bob.email)
    assert taken.status == free.status
    assert taken.document.text.replace(bob.email, "X") == free.document.text.replace(
        "free@example.org", "X"
    )
    told = [one["text"] for one in mails(house, alice.email)]
    assert told[0].replace("free@example.org", bob.email) == told[1]
    (letter,) = mails(house, bob.email)
    assert letter["template"] == "address_taken"
    assert "/me/email/" not in letter["text"]
    assert "for another account" in letter["text"]
    assert "create an account" not in letter["text"]


def test_an_address_taken_meanwhile_stays_theirs(house: House, alice: Person) -> None:
    asked(house, alice)
    house.person(NEW)
    agent = house.browser()
    page = agent.page(link_in(mails(house, NEW)[0]))
    assert press(agent, page, page.path).status == 410
    assert address(house, alice) == alice.email


@pytest.mark.parametrize("typed", ["", "nobody", "a@b@c", "x" * 400, "alice\uff20example.com"])
def test_what_is_no_address_is_refused(house: House, alice: Person, typed: str) -> None:
    agent, page = entered(house, alice, PATH)
    refused = press(agent, page, "/security/email", email=typed)
    assert refused.status == 422
    assert "Enter an email address in the form" in refused.document.text
    assert mails(house) == []


def test_her_own_address_is_refused_however_it_is_spelled(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, PATH)
    refused = press(agent, page, "/security/email", email=" ALICE@Example.COM ")
    assert "That is your present address." in refused.document.text


def test_a_newer_link_ends_the_older_and_it_can_be_called_off(house: House, alice: Person) -> None:
    agent = asked(house, alice)
    press(agent, agent.page(PATH), "/security/email", email="alice@third.example")
    first, second = link_in(mails(house, NEW)[0]), link_in(mails(house, "alice@third.example")[0])
    assert house.browser().page(first).status == 410
    assert house.browser().page(second).status == 200
    page = press(agent, agent.page(PATH), "/email/forget")
    assert "We sent a link" not in page.document.text
    assert house.browser().page(second).status == 410


def test_links_mailed_to_the_old_address_end(house: House, alice: Person) -> None:
    asking = house.browser()
    page = asking.page("/login/forgotten")
    asking.submit(page, page.form("/forgotten"), {"username": alice.email})
    asked(house, alice)
    opened(house, link_in(mails(house, NEW)[0]))
    reset = next(letter for letter in mails(house, alice.email) if letter["template"] == "reset")
    assert house.browser().page(link_in(reset)).status == 410


def test_too_many_mails_are_not_sent(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, PATH)
    statuses = [
        press(agent, page, "/security/email", email=f"alice{number}@new.example").status
        for number in range(6)
    ]
    assert statuses == [200] * 5 + [429]
    assert len(mails(house)) == len(mails(house, alice.email)) + 5 == 10


@pytest.mark.parametrize("token", ["nonsense", "%00", "ü", "a" * 3000])
def test_a_made_up_link_is_gone(house: House, token: str) -> None:
    agent = house.browser()
    for path in (f"/me/email/{token}", f"/me/email/undo/{token}"):
        assert agent.page(path).status in (404, 410)
