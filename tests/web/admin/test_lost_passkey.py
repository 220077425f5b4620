"""An administrator without her passkey, at the console: as at her account, and never for less."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import delete

from idp.models import Credential, db
from tests.helpers.house import House, Person
from tests.helpers.sign_in import Answer, Step, passkey, sign_in, totp
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import JSON, mails, press

CODE = "Use a recovery code"
LEAVE = "If you have lost your passkey, sign out, and sign in with a recovery code."
CONSOLE, ACCOUNT = "/admin/people", "/me/passkeys"


@pytest.fixture
def ada(house: House) -> Person:
    return house.person("ada@example.com", role="administrator")


def by_app(house: House, ada: Person, **answers: Answer) -> UserAgent:
    """Signed in without the passkey that she has."""
    app = totp(house.totp(ada), house.clock)
    house.passkey(ada)
    house.clock.advance(minutes=1)
    agent, shop = house.browser(), house.client(consent="never")
    known = {"username": ada.email, "password": ada.password}
    sign_in(agent, shop.authorization_url(), **known, answers={"totp": app, **answers})
    return agent


def by_passkey(house: House, ada: Person) -> UserAgent:
    agent, shop = house.browser(), house.client(consent="never")
    sign_in(agent, shop.authorization_url(), answers={"passkey": passkey(house.passkey(ada))})
    house.clock.advance(minutes=11)
    return agent


def by_app_with_codes(house: House, ada: Person) -> UserAgent:
    agent = by_app(house, ada)
    house.recovery_codes(ada)
    return agent


def by_passkey_with_codes(house: House, ada: Person) -> UserAgent:
    agent = by_passkey(house, ada)
    house.recovery_codes(ada)
    return agent


def change(agent: UserAgent) -> Page:
    """What comes of a change at the console: a form of its own page, sent as a browser would."""
    token = next(
        form.fields["csrf_token"]
        for form in agent.page("/me").document.forms
        if "csrf_token" in form.fields
    )
    answered = agent.client.post("/admin/settings", data={"csrf_token": token})
    return agent.page(answered.headers["Location"])


Way = Callable[[House, Person], UserAgent]


@pytest.mark.parametrize("way", [by_app, by_app_with_codes, by_passkey, by_passkey_with_codes])
def test_a_change_offers_a_code_where_the_account_does(house: House, ada: Person, way: Way) -> None:
    agent = way(house, ada)
    account, console = agent.page(ACCOUNT), change(agent)
    assert account.path.startswith("/login/")
    assert console.path.startswith("/login/")
    for said in (CODE, LEAVE, "This needs a passkey.", "This needs a passkey or a recovery code."):
        assert (said in console.document.text) is (said in account.document.text), said
    assert (CODE in console.document.text) is (way is by_app_with_codes)
    assert (LEAVE in console.document.text) is (way is by_passkey_with_codes)


@pytest.mark.parametrize("way", [by_app, by_app_with_codes, by_passkey, by_passkey_with_codes])
def test_a_password_is_offered_where_it_leads_on(house: House, ada: Person, way: Way) -> None:
    agent = way(house, ada)
    house.clock.advance(minutes=11)
    for asked in (change(agent), agent.page(ACCOUNT)):
        offered = any(
            said in asked.response.text for said in ("Use your password", 'name="password"')
        )
        assert offered is (way is by_app_with_codes)


def test_where_only_a_new_sign_in_leads_on_there_is_a_way_out(house: House, ada: Person) -> None:
    agent = by_passkey_with_codes(house, ada)
    asked = change(agent)
    assert LEAVE in asked.document.text
    press(agent, asked, "/me/sign-out")
    assert agent.page("/me").path.startswith("/login/")
    for way in (by_passkey, by_app_with_codes):
        forms = change(
            way(house, house.person(f"{way.__name__}@example.com", role="administrator"))
        )
        assert "/me/sign-out" not in forms.response.text


def test_looking_takes_it_as_well_and_she_is_told_by_mail(house: House, ada: Person) -> None:
    agent = by_app(house, ada)
    code, *_rest = house.recovery_codes(ada)
    asked = agent.page(CONSOLE)
    assert "This needs a passkey or a recovery code." in asked.document.text
    reached = press(agent, agent.page(asked.link(CODE)), "/recovery_code", recovery_code=code)
    assert reached.path == CONSOLE
    assert any("A recovery code was used" in letter["subject"] for letter in mails(house))


def test_a_code_does_not_make_an_old_password_young(house: House, ada: Person) -> None:
    agent = by_app(house, ada)
    code, *_rest = house.recovery_codes(ada)
    house.clock.advance(minutes=11)
    asked = change(agent)
    still = press(agent, agent.page(asked.link(CODE)), "/recovery_code", recovery_code=code)
    assert still.path.startswith("/login/")
    assert still.link("Use your password")
    house.clock.advance(minutes=11)
    assert change(agent).path.startswith("/login/")


def by_mail(house: House, ada: Person) -> Answer:
    def answer(step: Step) -> dict[str, str]:
        if step.button is not None:
            return {"username": ada.email}
        found = re.search(r"Your code: (\d{6})", mails(house, ada.email)[-1]["text"])
        assert found is not None
        return {"code": found[1]}

    return answer


def test_no_code_is_spent_on_what_it_does_not_reach(house: House, ada: Person) -> None:
    """Mailbox and code are no two factors, which the console wants at the least."""
    app = totp(house.totp(ada), house.clock)
    soft = house.passkey(ada)
    house.recovery_codes(ada)
    with house.app.app_context():
        of_hers = (Credential.user_id == ada.id, Credential.kind == "password")
        db.session.execute(delete(Credential).where(*of_hers))
        db.session.commit()
    house.clock.advance(minutes=1)
    agent, shop = house.browser(), house.client(consent="never")
    answers = {"magic_link": by_mail(house, ada), "totp": app}
    sign_in(agent, shop.authorization_url(), username=ada.email, answers=answers)
    assert CODE in agent.page(ACCOUNT).document.text, "the control: the account is content"
    asked = agent.page(CONSOLE)
    assert "This needs a passkey." in asked.document.text
    assert CODE not in asked.document.text
    assert LEAVE not in asked.document.text
    assert agent.client.get(CONSOLE, headers=JSON).status_code == 401
    assert soft.credentials
