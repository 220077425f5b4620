"""What is told of a sign-in: that it was finished once it was, and of a first step only that."""

import pytest

from idp.models import AuditEvent, db
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.sign_in import sign_in, totp
from tests.helpers.user_agent import UserAgent
from tests.web.account.visits import visit
from tests.web.admin.people import signed_in_as
from tests.web.walking import enter, events, housed, newcomer, shown, told

BEGUN = "was begun with your password; a second step was still to come."


@pytest.fixture
def admin(house: House) -> UserAgent:
    return signed_in_as(house, "administrator")


@pytest.fixture
def bob(house: House) -> tuple[Person, str]:
    """Somebody with a second step, and its seed."""
    person = newcomer(house)
    seed = house.totp(person)
    house.clock.advance(minutes=1)
    return person, seed


def abandoned(house: House, person: Person) -> None:
    """Her password, and no more."""
    agent = house.browser()
    page = shown(enter(agent, agent.page("/me"), person))
    assert page.form("/totp")


def test_a_first_step_alone_is_no_sign_in(
    house: House, admin: UserAgent, bob: tuple[Person, str]
) -> None:
    person, seed = bob
    abandoned(house, person)
    assert person.email not in admin.page("/admin").document.text
    log = admin.page(f"/admin/audit?person={person.id}").document.text
    assert f"A sign-in of {person.email} was begun with a password; a second step" in log
    assert f"{person.email} signed in" not in log
    house.clock.advance(minutes=1)
    activity = visit(house.browser(), "/me/activity", person, {"totp": totp(seed, house.clock)})
    # The one abandoned, and the one that this page was reached by.
    assert activity.document.text.count(BEGUN) == 2
    assert activity.document.text.count("You signed in") == 1


def test_a_finished_one_is_told_once_with_both_ways(
    house: House, admin: UserAgent, bob: tuple[Person, str]
) -> None:
    person, seed = bob
    page = visit(house.browser(), "/me/activity", person, {"totp": totp(seed, house.clock)})
    both = "You signed in with your password and a code from your authenticator app."
    assert both in page.document.text
    assert page.document.text.count("You signed in") == 1
    assert admin.page("/admin").document.text.count(person.email) == 1
    log = admin.page(f"/admin/audit?person={person.id}").document.text
    assert f"{person.email} signed in with a password and an authenticator app." in log


def test_what_is_proved_later_in_the_same_session_is_no_other_sign_in(
    house: House, admin: UserAgent
) -> None:
    person, agent = newcomer(house), house.browser()
    shop = house.client(consent="never")
    for prompt in ("consent", "login"):
        url = shop.authorization_url(prompt=prompt)
        assert "code" in told(sign_in(agent, url, username=person.email, password=person.password))
        house.clock.advance(minutes=1)
    text = agent.page("/me/activity").document.text
    assert text.count("You signed in with your password.") == 1
    assert "You confirmed with your password that it’s you." in text
    assert admin.page("/admin").document.text.count(person.email) == 1
    log = admin.page(f"/admin/audit?person={person.id}").document.text
    assert f"{person.email} proved with a password that it is them." in log


def test_an_administrators_link_before_a_second_step_is_a_first_step(
    house: House, admin: UserAgent, bob: tuple[Person, str]
) -> None:
    person, _seed = bob
    page = admin.page(f"/admin/people/{person.id}")
    words = shown(admin.submit(page, page.form("/sign-in-link"))).document.text.split()
    link = next(word for word in words if "/login/handed/" in word)
    agent = house.browser()
    page = agent.page(link)
    assert shown(agent.submit(page, page.form(page.path))).form("/totp")
    log = admin.page(f"/admin/audit?person={person.id}").document.text
    assert f"A sign-in of {person.email} was begun with an administrator’s link;" in log


def test_either_database_lists_what_was_finished(database_url: str, clock: FakeClock) -> None:
    with housed(database_url, clock) as house:
        person, other = newcomer(house), newcomer(house)
        house.totp(person)
        abandoned(house, person)
        visit(house.browser(), "/me", other)
        text = signed_in_as(house, "administrator").page("/admin").document.text
    assert person.email not in text
    assert text.count(other.email) == 1


def test_events_of_an_older_version_read_as_they_did(house: House, admin: UserAgent) -> None:
    person = newcomer(house)
    with house.app.app_context():
        db.session.add(
            AuditEvent(at=house.clock(), name="login.password.accepted", user_id=person.id, data={})
        )
        db.session.commit()
    assert person.email in admin.page("/admin").document.text
    log = admin.page(f"/admin/audit?person={person.id}").document.text
    assert f"{person.email} signed in with a password." in log
    (event,) = events(house, user_id=person.id, event="login.")
    assert "session" not in event.data
