"""What somebody else may have asked for does not outlive what its owner does about it."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from idp.models import db
from idp.services.account_fields import Fields
from idp.services.endings import end_everything
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.sign_in import passkey, totp
from tests.helpers.user_agent import UserAgent
from tests.web.account.test_authenticator_app import code, seed_of
from tests.web.account.visits import entered, link_in, mails, press
from tests.web.walking import sessions_of, shown, user_of

NEW = "thief@evil.example"
PASSWORD = "wet gravel under slow wheels"
LINKS = ("change of address", "link to a new password", "handed link")

Act = Callable[[], object]
Prepare = Callable[[House, Person], Act]
"""What comes before the links are made, to what is done after that."""


@pytest.fixture
def house(database_url: str, clock: FakeClock) -> Iterator[House]:
    opened = House(database_url, clock)
    yield opened
    with opened.app.app_context():
        db.engine.dispose()


def open_links(house: House, person: Person) -> dict[str, str]:
    """One of each kind; whoever asks for another address does it in the newest session."""
    session_id = sessions_of(house, person)[-1].id
    with house.app.app_context():
        services, context = house.services, house.context
        user = user_of(services, person)
        services.email_change.request(user, NEW, context, session_id=session_id)
        handed = services.handed_links.link(user, context)
        reset = services.password_reset.link(user, context)
    return dict(zip(LINKS, (link_in(mails(house, NEW)[-1]), reset, handed), strict=True))


def working(house: House, links: Mapping[str, str]) -> set[str]:
    """Which of them, opened in a browser without cookies, are not over."""
    pages = {name: house.browser().page(link) for name, link in links.items()}
    assert {page.status for page in pages.values()} <= {200, 410}
    return {name for name, page in pages.items() if page.status == 200}


def password_forgotten(house: House, person: Person) -> Act:
    def act() -> None:
        agent = house.browser()
        page = agent.page("/login/forgotten")
        agent.submit(page, page.form("/forgotten"), {"username": person.email})
        letter = next(one for one in reversed(mails(house)) if one["template"] == "reset")
        page = agent.page(link_in(letter))
        shown(agent.submit(page, page.document.forms[0], {"new_password": PASSWORD}))

    return act


def password_anew(house: House, person: Person) -> Act:
    agent, page = entered(house, person, "/me/security/password/new")
    return lambda: press(agent, page, "/security/password", new_password=PASSWORD, end_others="")


def password_removed(house: House, person: Person) -> Act:
    soft = house.passkey(person)
    agent, page = entered(house, person, "/me/security/password", {"passkey": passkey(soft)})
    return lambda: press(agent, page, "/remove")


def app_added(house: House, person: Person) -> Act:
    agent, page = entered(house, person, "/me/security/totp")
    return lambda: press(agent, page, "/security/totp", otp=code(house, seed_of(page)))


def app_removed(house: House, person: Person) -> Act:
    soft = house.passkey(person)
    agent, page = entered(house, person, "/me/security/totp", {"passkey": passkey(soft)})
    press(agent, page, "/security/totp", otp=code(house, seed_of(page)))
    return lambda: press(agent, agent.page("/me/security/totp"), "/remove")


def leaving(house: House, person: Person) -> Act:
    agent, page = entered(house, person, "/me/security/delete")
    return lambda: press(agent, page, "/security/delete", confirm_email=person.email)


def not_me(house: House, person: Person) -> Act:
    agent, page = entered(house, person, "/me/activity")
    page = agent.page(page.link("This wasn’t me"))
    return lambda: press(agent, page, "/activity/secure")


def others_ended(house: House, person: Person) -> Act:
    entered(house, person, "/me")
    agent, page = entered(house, person, "/me/sessions")
    return lambda: press(agent, page, "/end-others")


def one_ended(house: House, person: Person) -> Act:
    entered(house, person, "/me")
    agent, page = entered(house, person, "/me/sessions")
    return lambda: press(agent, page, "/end")


def disabled_and_enabled(house: House, person: Person) -> Act:
    def act() -> None:
        with house.app.app_context():
            accounts = house.services.accounts
            accounts.disable(user_of(house.services, person), house.context)
            accounts.enable(user_of(house.services, person), house.context)

    return act


def password_set(house: House, person: Person) -> Act:
    return lambda: house.do(
        lambda services: services.accounts.set_password(
            user_of(services, person), PASSWORD, house.context
        )
    )


def second_step_off(house: House, person: Person) -> Act:
    house.totp(person)
    return lambda: house.do(
        lambda services: services.second_step.take_off(user_of(services, person), house.context)
    )


def signed_out(house: House, person: Person) -> Act:
    def act() -> None:
        with house.app.app_context():
            end_everything(person.id, context=house.context, reason="by_administrator")
            db.session.commit()

    return act


def raised(house: House, person: Person) -> Act:
    return lambda: house.do(
        lambda services: services.accounts.update(
            user_of(services, person), {"role": "auditor"}, house.context
        )
    )


def given_another_address(house: House, person: Person) -> Act:
    fields: Fields = {"email": "alice@new.example", "email_verified": True}
    return lambda: house.do(
        lambda services: services.accounts.update(user_of(services, person), fields, house.context)
    )


ENDINGS: Mapping[str, Prepare] = {
    "she set a forgotten password anew": password_forgotten,
    "she chose another password": password_anew,
    "she removed the password": password_removed,
    "she set up an app": app_added,
    "she removed the app": app_removed,
    "she asked to be deleted": leaving,
    "she said that it was not her": not_me,
    "she ended one session": one_ended,
    "she ended all other sessions": others_ended,
    "she was disabled and let in again": disabled_and_enabled,
    "an administrator set the password": password_set,
    "an administrator took the second step off": second_step_off,
    "an administrator signed her out": signed_out,
    "she was given a role": raised,
    "an administrator gave her another address": given_another_address,
}


@pytest.mark.parametrize("prepare", ENDINGS.values(), ids=ENDINGS.keys())
def test_links_and_a_change_of_address_end(house: House, prepare: Prepare) -> None:
    alice, bob = house.person(), house.person("bob@example.com")
    for person in (alice, bob):
        entered(house, person, "/me")
    act = prepare(house, alice)
    hers, his = open_links(house, alice), open_links(house, bob)
    assert working(house, hers) == set(LINKS)
    act()
    assert working(house, hers) == set()
    assert working(house, his) == set(LINKS), "somebody else's are none of hers"


def test_nobody_signs_in_by_a_mail_to_an_address_that_an_administrator_replaced(
    house: House,
) -> None:
    alice = house.person()
    change = given_another_address(house, alice)
    agent = house.browser()
    page = agent.page("/me")
    form = page.form("/password")
    mail = form.button("Email me a sign-in link")
    agent.submit(page, form, {"username": alice.email}, button=mail)
    link = link_in(mails(house, alice.email)[-1])
    assert agent.page(link).status == 200
    change()
    assert agent.page(link).status == 410


def looked_around(agent: UserAgent) -> None:
    for path in ("/me", "/me/security", "/me/sessions", "/me/activity", "/me/security/email"):
        assert agent.page(path).status == 200


def test_they_stay_where_nothing_changes(house: House) -> None:
    alice = house.person()
    agent, _page = entered(house, alice, "/me")
    links = open_links(house, alice)
    looked_around(entered(house, alice, "/me/security/email")[0])
    page = agent.page("/me")
    press(agent, page, "/sign-out")
    assert working(house, links) == set(LINKS)


def test_a_handed_link_leads_to_a_new_second_step(house: House) -> None:
    """What is used does its own work, and what was open beside it ends with that."""
    alice = house.person()
    entered(house, alice, "/me")
    links = open_links(house, alice)
    agent = house.browser()
    page = agent.page(links["handed link"])
    shown(agent.submit(page, page.form(page.path)))
    assert working(house, links) == {"change of address", "link to a new password"}
    page = agent.page("/me/security/totp")
    seed = seed_of(page)
    press(agent, page, "/security/totp", otp=code(house, seed))
    assert working(house, links) == set()
    house.clock.advance(minutes=1)
    entered(house, alice, "/me", {"totp": totp(seed, house.clock)})
