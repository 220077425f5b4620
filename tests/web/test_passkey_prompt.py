"""After a sign-in with a password: would you like a passkey? Once, calmly, and never again soon."""

import json
from typing import Any

import pytest

from idp.models import EvidenceRow, User, db
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.html import find_object
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import passkey, sign_in, totp
from tests.helpers.user_agent import Departure, Page, Place, UserAgent

TITLE = "Sign in faster with your face, fingerprint or PIN"


@pytest.fixture
def alice(house: House) -> Person:
    return house.person()


@pytest.fixture
def shop(house: House) -> RelyingParty:
    return house.client(consent="never")


def after_password(
    house: House, shop: RelyingParty, person: Person, *, remember: str = "yes", **changes: object
) -> tuple[UserAgent, Place]:
    """Where a browser is once the password was right."""
    agent = house.browser()
    page = agent.page(shop.authorization_url(**changes))
    typed = {"username": person.email, "password": person.password, "remember": remember}
    return agent, agent.submit(page, page.form("/password"), typed)


def asked(place: Place) -> bool:
    return isinstance(place, Page) and TITLE in place.document.headings


def page_of(place: Place) -> Page:
    assert isinstance(place, Page), place
    return place


def answer(page: Page, soft: SoftAuthenticator, **knobs: Any) -> dict[str, str]:
    options = find_object(page.document.data, "challenge")
    assert options is not None
    return {"passkey_response": json.dumps(soft.make_credential(options, **knobs))}


def send(agent: UserAgent, page: Page, sent: dict[str, str]) -> Place:
    """As the page's script does: to the ceremony's own address, past "Not now"."""
    form = page.form("/add")
    return agent.submit(page, form, sent, button=form.scripted[0])


def test_not_now_goes_on_and_is_remembered_for_ninety_days(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    agent, place = after_password(house, shop, alice)
    assert asked(place)
    page = page_of(place)
    place = agent.submit(page, page.form("/add"), button="Not now")
    assert isinstance(place, Departure)
    assert shop.finish(place).claims["amr"] == ["pwd"]
    house.clock.advance(days=89)
    assert not asked(after_password(house, shop, alice)[1])
    house.clock.advance(days=1, seconds=1)
    assert asked(after_password(house, shop, alice)[1])


def test_a_question_left_unanswered_is_asked_no_more_either(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    _agent, place = after_password(house, shop, alice)
    assert asked(place)
    again, place = after_password(house, shop, alice)
    assert isinstance(place, Departure)
    assert again.page("/me").path == "/me"


def test_a_reload_shows_it_again_and_the_sign_in_waits(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    agent, place = after_password(house, shop, alice)
    page = page_of(place)
    for _ in range(2):
        assert asked(agent.page(page.url))
    page = agent.page(page.url)
    assert isinstance(agent.submit(page, page.form("/add"), button="Not now"), Departure)


def test_never_on_a_computer_that_others_use(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    _agent, place = after_password(house, shop, alice, remember="")
    assert isinstance(place, Departure)


def test_not_to_somebody_who_has_one(house: House, alice: Person, shop: RelyingParty) -> None:
    soft = house.passkey(alice)
    agent, place = after_password(house, shop, alice)
    page = page_of(place)
    options = find_object(page.document.data, "challenge")
    response = {"passkey_response": json.dumps(soft.get_assertion(options or {}))}
    place = agent.submit(page, page.form("/passkey"), response)
    assert isinstance(place, Departure)


def test_not_after_a_step_up(house: House, alice: Person, shop: RelyingParty) -> None:
    agent, place = after_password(house, shop, alice)
    page = page_of(place)
    agent.submit(page, page.form("/add"), button="Not now")
    house.clock.advance(days=8)
    with house.app.app_context():
        db.session.get_one(User, alice.id).passkey_prompt_after = None
        db.session.commit()
    house.clock.advance(minutes=1)
    page = agent.page(shop.authorization_url(prompt="login"))
    place = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert isinstance(place, Departure)


def test_not_to_a_script(house: House, alice: Person, shop: RelyingParty) -> None:
    agent = house.browser()
    page = agent.page(shop.authorization_url())
    typed = {"username": alice.email, "password": alice.password, "remember": True}
    answered = agent.json(page.form("/password").action, typed)
    assert answered.json()["redirect"].startswith("https://shop.example/callback")


def test_not_while_a_second_step_is_pending(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    """And nobody can answer a question that was not asked."""
    seed = house.totp(alice)
    house.clock.advance(minutes=1)
    agent, place = after_password(house, shop, alice)
    page = page_of(place)
    assert not asked(page)
    path = page.path.rsplit("/", 1)[0] if page.path.count("/") > 2 else page.path
    made = SoftAuthenticator(house.settings.issuer).make_credential(
        {
            "challenge": "AAAA",
            "rp": {"id": "localhost"},
            "user": {"id": "AAAA"},
            "pubKeyCredParams": [{"alg": -7, "type": "public-key"}],
        }
    )
    form = dict(page.document.forms[0].fields)
    for action in ("add", "later"):
        data = {**form, "passkey_response": json.dumps(made)}
        assert agent.client.post(f"{path}/{action}", data=data).status_code == 303
    page = page_of(agent.page(path))
    place = agent.submit(page, page.form("/totp"), totp(seed, house.clock)(None))  # type: ignore[arg-type]
    assert asked(place)  # complete now
    with house.app.app_context():
        assert {row.method for row in db.session.query(EvidenceRow)} == {"password", "totp"}


def test_a_passkey_made_here_is_a_proof_of_this_sign_in(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    agent, place = after_password(house, shop, alice)
    soft = SoftAuthenticator(house.settings.issuer)
    page = page_of(place)
    options = find_object(page.document.data, "challenge")
    assert options is not None
    assert options["authenticatorSelection"]["authenticatorAttachment"] == "platform"
    page = page_of(send(agent, page, answer(page, soft)))
    assert "Save your recovery codes" in page.document.headings
    place = agent.submit(page, page.form("/saved"), {"saved": "yes"})
    assert isinstance(place, Departure)
    claims = shop.finish(place).claims
    assert claims["amr"] == ["pwd", "pop", "user", "swk", "mfa"]
    url = shop.authorization_url(prompt="login")
    again = shop.finish(sign_in(house.browser(), url, answers={"passkey": passkey(soft)}))
    assert again.claims["sub"] == alice.id


def test_one_made_along_the_way_proves_nothing_and_asks_for_nothing_more_now(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    """Conditional create: no gesture, so no proof; and no second step is demanded at once."""
    agent, place = after_password(house, shop, alice)
    page = page_of(place)
    soft = SoftAuthenticator(house.settings.issuer)
    fields = {**answer(page, soft, up=False, uv=False), **page.form("/add").fields}
    made = answer(page, soft, up=False, uv=False)
    response = agent.client.post(
        page.form("/add").action, data={**fields, **made, "upgrade": "yes"}
    )
    assert response.status_code == 303
    page = page_of(agent.page(response.headers["Location"]))
    assert "Save your recovery codes" in page.document.headings
    place = agent.submit(page, page.form("/saved"), {"saved": "yes"})
    assert isinstance(place, Departure)
    assert shop.finish(place).claims["amr"] == ["pwd"]


def test_an_upgrade_that_fails_is_not_told_and_one_that_was_asked_for_is(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    agent, place = after_password(house, shop, alice)
    page = page_of(place)
    action = page.form("/add").action
    data = {**page.form("/add").fields, "passkey_response": "{}"}
    quiet = agent.client.post(action, data={**data, "upgrade": "yes"})
    assert quiet.status_code == 200
    assert "There is a problem" not in quiet.text
    told = agent.client.post(action, data=data)
    assert told.status_code == 422
    assert "No passkey was added. Nothing changed." in told.text
    page = page_of(agent.page(page.url))
    assert isinstance(agent.submit(page, page.form("/add"), button="Not now"), Departure)


def test_after_a_recovery_code_it_says_what_a_passkey_spares(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    house.totp(alice)
    (first, *_rest) = house.recovery_codes(alice)
    agent, place = after_password(house, shop, alice)
    page = page_of(place)
    page = page_of(agent.get(page.link("Use a recovery code")))
    place = agent.submit(page, page.form("/recovery_code"), {"recovery_code": first})
    assert asked(place)
    assert "A passkey spares you the recovery codes" in page_of(place).document.text


def test_answered_twice_it_adds_one(house: House, alice: Person, shop: RelyingParty) -> None:
    agent, place = after_password(house, shop, alice)
    page = page_of(place)
    soft = SoftAuthenticator(house.settings.issuer)
    sent = answer(page, soft)
    first = page_of(send(agent, page, sent))
    second = page_of(send(agent, page, sent))
    assert first.document.headings == second.document.headings
    with house.app.app_context():
        assert db.session.query(EvidenceRow).filter_by(method="passkey").count() == 1


def test_consent_comes_after_it_and_is_still_asked(house: House, alice: Person) -> None:
    shop = house.client()
    agent, place = after_password(house, shop, alice)
    assert asked(place)
    page = page_of(place)
    page = page_of(agent.submit(page, page.form("/add"), button="Not now"))
    assert "Share your details with Shop?" in page.document.headings
    place = agent.submit(page, page.form("/consent"), button="Allow")
    assert isinstance(place, Departure)


def test_the_page_may_end_at_the_application(
    house: House, alice: Person, shop: RelyingParty
) -> None:
    _agent, place = after_password(house, shop, alice)
    policy = page_of(place).response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://shop.example" in policy


def test_it_is_asked_before_ones_own_pages_as_well(house: House, alice: Person) -> None:
    agent = house.browser()
    page = agent.page("/me/sessions")
    typed = {"username": alice.email, "password": alice.password, "remember": "yes"}
    place = agent.submit(page, page.form("/password"), typed)
    assert asked(place)
    page = page_of(place)
    assert page_of(agent.submit(page, page.form("/add"), button="Not now")).path == "/me/sessions"


def test_another_browser_cannot_answer_it(house: House, alice: Person, shop: RelyingParty) -> None:
    _agent, place = after_password(house, shop, alice)
    page = page_of(place)
    soft = SoftAuthenticator(house.settings.issuer)
    other = house.browser()
    other.page("/login/")
    refused = other.json(page.form("/add").action, answer(page, soft))
    assert refused.status_code == 401
    with house.app.app_context():
        assert db.session.query(EvidenceRow).filter_by(method="passkey").count() == 0
