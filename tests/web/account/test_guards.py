"""Who may see and change what: every address of the account pages, and what each asks for."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.sign_in import passkey, totp, typed
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import JSON, add_passkey, entered, kinds, listed, mails, visit

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
    assert "open too long" in answered.text
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
