"""Who may see and change what: every address of the account pages, and what each asks for."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule

from idp.factors.base import Proof
from idp.models import User, db
from idp.web.services import Services
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.sign_in import passkey, totp, typed
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import JSON, add_passkey, entered, kinds, listed, mails, press, visit

OPEN = {
    "account.sign_out",
    "account.signed_out",
    "account.open_email",
    "account.confirm_email",
    "account.open_undo",
    "account.undo_email",
}
"""Whoever is signed in nowhere may go there: the links are the proof, and leaving needs none."""
SECURED = ("/me/security", "/me/passkeys")
_FILLINGS = {
    "method": "totp",
    "credential_id": "none",
    "session_id": "none",
    "client_id": "none",
    "event_id": 1,
    "token": "none",
}


def rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("account."):
            yield rule


def addresses(house: House, *, below: tuple[str, ...] = ("/me",)) -> list[tuple[str, str]]:
    """Method and path of everything that is not open to all."""
    built = []
    for rule in rules(house.app):
        if rule.endpoint in OPEN:
            continue
        with house.app.test_request_context():
            path = urlsplit(_build(house.app, rule)).path
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            if path.startswith(below):
                built.append((method, path))
    return built


def _build(app: Flask, rule: Rule) -> str:
    values: dict[str, Any] = {name: _FILLINGS[name] for name in rule.arguments}
    return app.url_for(rule.endpoint, **values)


def ask(agent, method: str, path: str, **headers: str):
    """As a script, so that no form token is in the way of what is tested."""
    if method == "GET":
        return agent.client.get(path, headers={**JSON, **headers})
    return agent.client.post(path, json={}, headers={**JSON, **headers})


def test_without_a_session_every_page_asks_to_sign_in(house: House) -> None:
    agent = house.browser()
    found = addresses(house)
    assert len(found) > 20
    for method, path in found:
        answered = ask(agent, method, path)
        assert (answered.status_code, answered.json()["error"]) == (401, "login_required"), path
        assert "/login/" in answered.json()["redirect"]
        if method == "GET":
            shown = agent.client.get(path)
            assert (shown.status_code, shown.headers["Location"][:7]) == (303, "/login/"), path


def test_whatever_guards_the_account_wants_a_proof_of_the_last_ten_minutes(
    house: House, alice: Person
) -> None:
    agent, _page = entered(house, alice)
    house.clock.advance(minutes=10)
    assert agent.page("/me/security").path == "/me/security"
    house.clock.advance(seconds=1)
    found = addresses(house, below=SECURED)
    assert len(found) > 14
    for method, path in found:
        answered = ask(agent, method, path)
        assert answered.status_code == 401, path
        assert answered.json()["error"] == "insufficient_user_authentication"
    for path in ("/me", "/me/sessions", "/me/apps", "/me/activity"):
        assert agent.page(path).path == path


def test_a_stale_form_does_nothing_and_leads_back_to_its_page(house: House, alice: Person) -> None:
    agent, page = entered(house, alice, "/me/security/password/new")
    house.clock.advance(minutes=11)
    form = page.form("/security/password")
    place = agent.submit(page, form, {"new_password": "wet gravel under slow wheels"})
    assert isinstance(place, Page)
    assert place.path.startswith("/login/")
    assert "That is too long ago for this." in place.document.text
    back = agent.submit(place, place.form("/password"), {"password": alice.password})
    assert isinstance(back, Page)
    assert back.path == "/me/security/password/new"
    assert "Nothing was changed yet" in back.document.text
    visit(house.browser(), "/me", alice)  # with the old password still


def test_it_wants_the_best_proof_the_person_has(house: House, alice: Person) -> None:
    seed = house.totp(alice)
    house.passkey(alice)
    house.clock.advance(minutes=1)
    agent, page = entered(house, alice, "/me", {"totp": totp(seed, house.clock)})
    assert page.path == "/me"
    place = agent.page("/me/security")
    assert place.path.startswith("/login/")
    assert place.document.headings[0] == "Confirm it’s you"
    assert "This needs a passkey." in place.document.text
    assert [form for form in place.document.forms if form.action.endswith("/totp")] == []


def test_who_has_lost_the_best_of_it_comes_back_by_a_code(house: House, alice: Person) -> None:
    """A recovery code stands in for what is gone, and so the account can be set right again."""
    house.passkey(alice)
    codes = house.recovery_codes(alice)
    answers = {"recovery_code": typed(recovery_code=codes[0])}
    agent, page = entered(house, alice, "/me/passkeys", answers)
    assert page.path == "/me/passkeys"
    soft = SoftAuthenticator(house.settings.issuer)
    add_passkey(agent, page, soft)
    house.clock.advance(minutes=11)
    assert agent.page("/me/passkeys").path.startswith("/login/")
    lost = next(one for one in listed(entered_with(house, alice, soft)) if one["name"] == "Passkey")
    removed = entered_with(house, alice, soft).json(f"/me/security/passkey/{lost['id']}/remove", {})
    assert removed.status_code == 200
    assert any("A recovery code was used" in letter["subject"] for letter in mails(house))


CODE = "Use a recovery code"
SECURITY = "/me/security"
CHANGES = [
    "/me/passkeys",
    *(f"{SECURITY}/{name}" for name in ("password", "totp", "recovery_code", "email", "delete")),
]


def by_app(house: House, person: Person) -> tuple[UserAgent, list[str]]:
    """Signed in with password and app, having a passkey too; and her codes."""
    seed = house.totp(person)
    house.passkey(person)
    codes = house.recovery_codes(person)
    house.clock.advance(minutes=1)
    agent, _page = entered(house, person, "/me", {"totp": totp(seed, house.clock)})
    return agent, codes


def give_code(agent: UserAgent, place: Page, code: str) -> Page:
    page = agent.page(place.link(CODE))
    return press(agent, page, "/recovery_code", recovery_code=code)


@pytest.mark.parametrize("path", CHANGES)
def test_who_lacks_the_passkey_today_may_give_a_code_instead(
    house: House, alice: Person, path: str
) -> None:
    agent, (code, *_rest) = by_app(house, alice)
    place = agent.page(path)
    assert "This needs a passkey or a recovery code." in place.document.text
    assert "Try again, or use another way." in agent.client.get(place.url).text
    reached = give_code(agent, place, code)
    assert reached.path.startswith(path), reached.document.text
    assert any("A recovery code was used" in letter["subject"] for letter in mails(house))


def test_a_code_does_not_make_an_old_password_young(house: House, alice: Person) -> None:
    """What was proved too long ago is asked for beside the code, and nothing is changed before."""
    agent, (code, *_rest) = by_app(house, alice)
    house.clock.advance(minutes=11)
    place = give_code(agent, agent.page("/me/passkeys"), code)
    assert place.path.startswith("/login/")
    assert ask(agent, "GET", "/me/passkeys").status_code == 401
    asked = agent.page(place.link("Use your password"))
    reached = press(agent, asked, "/password", password=alice.password)
    assert reached.path == "/me/passkeys"


def test_the_last_code_serves_as_well(house: House, alice: Person) -> None:
    agent, codes = by_app(house, alice)
    house.do(lambda services: spend(services, alice, codes[1:], house.clock()))
    reached = give_code(agent, agent.page("/me/passkeys"), codes[0])
    assert reached.path == "/me/passkeys"
    assert kinds(house, alice) == ["passkey", "password", "totp"]


def spend(services: Services, person: Person, codes: list[str], now: datetime) -> None:
    user = db.session.get_one(User, person.id)
    for code in codes:
        answer = {"recovery_code": code}
        found = services.factors["recovery_code"].verify(user, {}, answer, now)
        assert isinstance(found, Proof)
    db.session.commit()


def test_a_wrong_code_opens_nothing(house: House, alice: Person) -> None:
    agent, (code, *_rest) = by_app(house, alice)
    place = agent.page("/me/passkeys")
    refused = give_code(agent, place, "0" * len(code.replace("-", "")))
    assert "That recovery code is not right." in refused.document.text
    assert ask(agent, "GET", "/me/passkeys").status_code == 401
    reached = press(agent, refused, "/recovery_code", recovery_code=code)
    assert reached.path == "/me/passkeys"


def test_without_codes_no_other_way_is_spoken_of(house: House, alice: Person) -> None:
    seed = house.totp(alice)
    house.passkey(alice)
    house.clock.advance(minutes=1)
    agent, _page = entered(house, alice, "/me", {"totp": totp(seed, house.clock)})
    place = agent.page("/me/passkeys")
    assert "This needs a passkey." in place.document.text
    assert CODE not in place.document.text
    assert LEAVE not in place.document.text
    assert "another way" not in agent.client.get(place.url).text


LEAVE = "If you have lost your passkey, sign out, and sign in with a recovery code."


@pytest.mark.parametrize("codes", [True, False], ids=["codes left", "no codes"])
def test_who_came_in_by_the_passkey_is_told_to_come_in_anew(
    house: House, alice: Person, codes: bool
) -> None:
    """A code beside its proof takes nothing back, so none is offered; and it is true what is said:
    see ``test_who_has_lost_the_best_of_it_comes_back_by_a_code``."""
    soft = house.passkey(alice)
    if codes:
        house.recovery_codes(alice)
    agent = entered_with(house, alice, soft)
    house.clock.advance(minutes=11)
    place = agent.page("/me/passkeys")
    assert place.path.startswith("/login/")
    assert CODE not in place.document.text
    assert (LEAVE in place.document.text) is codes


def entered_with(house: House, person: Person, soft: SoftAuthenticator) -> UserAgent:
    return entered(house, person, "/me/passkeys", {"passkey": passkey(soft)})[0]


def test_while_a_second_step_is_pending_there_is_no_session_to_enrol_with(
    house: House, alice: Person
) -> None:
    """The password alone opens nothing: no cookie, and so no page that could change anything."""
    house.totp(alice)
    house.clock.advance(minutes=1)
    agent = house.browser()
    page = agent.page("/me/security/totp/new")
    form = page.form("/password")
    pending = agent.submit(page, form, {"username": alice.email, "password": alice.password})
    assert isinstance(pending, Page)
    assert pending.form("/totp")
    assert [name for name in agent.cookies if "session" in name] == []
    for method, path in addresses(house, below=SECURED):
        answered = ask(agent, method, path)
        assert (answered.status_code, answered.json()["error"]) == (401, "login_required"), path
    for made_up in ("add", "later"):
        agent.client.post(f"{pending.path}/{made_up}", data=dict(pending.document.forms[0].fields))
    assert kinds(house, alice) == ["password", "totp"]


def test_an_open_session_does_not_help_a_pending_second_step(house: House, alice: Person) -> None:
    """Signed in long ago, and again with a password only: the page still waits for the rest."""
    seed = house.totp(alice)
    house.clock.advance(minutes=1)
    agent, _page = entered(house, alice, "/me", {"totp": totp(seed, house.clock)})
    house.clock.advance(minutes=11)
    page = agent.page("/me/security")
    stale = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert isinstance(stale, Page)
    assert stale.path.startswith("/login/")
    assert ask(agent, "POST", "/me/security/totp").status_code == 401
    assert ask(agent, "GET", "/me/security/totp/new").status_code == 401


@pytest.mark.parametrize("path", ["/me/security/export", "/me/sessions/end-others", "/me/sign-out"])
def test_a_form_from_elsewhere_is_refused(house: House, alice: Person, path: str) -> None:
    agent, _page = entered(house, alice)
    answered = agent.client.post(path, data={})
    assert answered.status_code == 400
    assert "This page is out of date" in answered.text
    assert agent.page("/me/security").path == "/me/security"


def test_a_forged_token_is_refused_on_every_address(house: House, alice: Person) -> None:
    agent, _page = entered(house, alice)
    for method, path in addresses(house):
        if method == "POST":
            answered = agent.client.post(path, data={"csrf_token": "made-up"})
            assert answered.status_code == 400, path
    # A simple request of another site may carry any text, but never be taken for JSON.
    plain = agent.client.post(
        "/me/security/export", content="{}", headers={"Content-Type": "text/plain"}
    )
    assert plain.status_code == 400
