"""Every way to sign in, with real parts, and each in the wrong place."""

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest

from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.html import find_object
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.helpers.sign_in import passkey
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.web.account.visits import link_in, mails
from tests.web.walking import (
    enter,
    event_names,
    events,
    gone,
    newcomer,
    press,
    sessions_of,
    shown,
    signed_in,
    silently,
    user_of,
)

WRONG_PASSWORD = "Email or password is not correct."


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture
def bob(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


def start(house: House, shop: RelyingParty, **changes: object) -> tuple[UserAgent, Page]:
    agent = house.browser()
    return agent, agent.page(shop.authorization_url(**changes))


def send(agent: UserAgent, page: Page, method: str, **values: str) -> httpx.Response:
    """Answer with this factor, whatever form it takes the tokens from."""
    form = page.document.forms[0]
    tokens = {name: form.fields[name] for name in ("csrf_token", "form_token")}
    path = "/".join(page.path.split("/")[:3])
    return agent.client.post(f"{path}/{method}", data={**tokens, **values})


def assertion(page: Page, soft: SoftAuthenticator, **knobs: Any) -> str:
    options = find_object(page.document.data, "challenge")
    assert options is not None
    return json.dumps(soft.get_assertion(options, **knobs))


def tokens_at(shop: RelyingParty, response: httpx.Response) -> Tokens:
    """The tokens of the sign-in that this response ends."""
    assert response.status_code == 303, response.text
    return shop.finish(Departure(response.headers["Location"]))


def amr(shop: RelyingParty, response: httpx.Response) -> list[str]:
    """How it is told."""
    found: list[str] = tokens_at(shop, response).claims["amr"]
    return found


# Password


def test_a_user_name_does_as_well_as_an_address(town: House, shop: RelyingParty) -> None:
    ana = newcomer(town, username="ana.lantern")
    for typed in ("ana.lantern", "ANA.Lantern", f" {ana.email.upper()} "):
        agent, page = start(town, shop)
        place = enter(agent, page, ana, username=typed)
        assert shop.finish(gone(place)).claims["sub"] == ana.id


WRONG = [
    ("another password", {"password": "paper lanterns drift at night"}),
    ("the same with a space", {"password": "paper lanterns drift at noon "}),
    ("another's case", {"password": "Paper lanterns drift at noon"}),
    ("a very long one", {"password": "x" * 20_000}),
    ("a null in it", {"password": "paper\0lanterns"}),
]


@pytest.mark.parametrize("typed", [pytest.param(typed, id=name) for name, typed in WRONG])
def test_a_wrong_password(
    town: House, shop: RelyingParty, alice: Person, typed: dict[str, str]
) -> None:
    agent, page = start(town, shop)
    page = shown(enter(agent, page, alice, **typed))
    assert page.status == 422
    assert WRONG_PASSWORD in page.document.text
    assert page.document.title.startswith("Error:")
    assert typed["password"] not in page.response.text
    assert gone(enter(agent, page, alice)).parameters["code"]


def test_a_wrong_password_of_who_is_known_already_blames_no_address(
    town: House, first_the_name: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=1)
    page = agent.page(shop.authorization_url(max_age=0))
    again = send(agent, page, "password", password="not my password at all")
    assert "Password is not correct." in again.text
    assert WRONG_PASSWORD not in again.text
    agent, page = start(first_the_name, shop)
    page = shown(press_continue(agent, page, alice.email))
    again = send(agent, page, "password", password="not my password at all")
    assert (
        WRONG_PASSWORD in again.text
    )  # an address alone is nobody known: anybody's is told the same


def test_nothing_typed_is_told_and_is_no_guess(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent, page = start(town, shop)
    for _ in range(12):
        page = shown(enter(agent, page, alice, password=""))
        assert page.status == 422
    assert gone(enter(agent, page, alice)).parameters["code"]


def test_the_password_twice_proves_no_second_thing(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    agent, page = start(town, shop)
    page = shown(enter(agent, page, alice))
    response = send(agent, page, "password", username=alice.email, password=alice.password)
    assert response.status_code == 422
    assert silently(agent, shop) == "login_required"


# Passkey


def test_a_passkey_alone_and_no_name_typed(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    soft = town.passkey(alice)
    town.passkey(bob)
    agent, page = start(town, shop)
    options = find_object(page.document.data, "challenge")
    assert options is not None
    assert options.get("allowCredentials", []) == []
    response = send(agent, page, "passkey", passkey_response=assertion(page, soft))
    assert amr(shop, response) == ["pop", "user", "swk", "mfa"]
    (event,) = events(town, user_id=alice.id, event="login.passkey.accepted")
    assert event.client_id == shop.client_id


def test_a_name_typed_beside_a_passkey_is_no_matter(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    soft = town.passkey(alice)
    agent, page = start(town, shop)
    answer = assertion(page, soft)
    response = send(agent, page, "passkey", passkey_response=answer, username=bob.email)
    assert tokens_at(shop, response).claims["sub"] == alice.id


def test_a_passkey_as_the_second_step(town: House, shop: RelyingParty, alice: Person) -> None:
    soft = town.passkey(alice)
    agent, page = start(town, shop)
    page = shown(enter(agent, page, alice))
    assert page.document.headings[0] == "Use your passkey"
    options = find_object(page.document.data, "challenge")
    assert options is not None
    assert len(options["allowCredentials"]) == 1
    response = send(agent, page, "passkey", passkey_response=assertion(page, soft, uv=False))
    assert amr(shop, response) == ["pwd", "pop", "user", "swk", "mfa"]


def test_a_passkey_answer_works_once(town: House, shop: RelyingParty, alice: Person) -> None:
    soft = town.passkey(alice)
    agent, page = start(town, shop)
    answer = assertion(page, soft)
    assert send(agent, page, "passkey", passkey_response=answer).status_code == 303
    other, again = start(town, shop)
    replayed = send(other, again, "passkey", passkey_response=answer)
    assert replayed.status_code == 422
    assert silently(other, shop) == "login_required"
    honest = assertion(shown(other.get(again.url)), soft)
    assert send(other, again, "passkey", passkey_response=honest).status_code == 303


def test_a_refused_passkey_gets_a_new_challenge(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    soft = town.passkey(alice)
    agent, page = start(town, shop)
    lie = assertion(page, soft, origin="https://evil.example")
    page_again = agent.client.get(page.path)
    refused = send(agent, page, "passkey", passkey_response=lie)
    assert refused.status_code == 422
    again = shown(agent.get(page.path))
    old, new = (find_object(one.document.data, "challenge") for one in (page, again))
    assert old is not None
    assert new is not None
    assert old["challenge"] != new["challenge"]
    assert old["challenge"] in page_again.text.replace("&#34;", '"')
    response = send(agent, again, "passkey", passkey_response=assertion(again, soft))
    assert response.status_code == 303


LIES = [
    ("another origin", {"origin": "https://evil.example"}),
    ("inside a frame elsewhere", {"cross_origin": True, "top_origin": "https://evil.example"}),
    ("nobody touched it", {"up": False}),
    ("another's handle", {"user_handle": b"somebody else"}),
    ("no handle", {"user_handle": None}),
    ("it became portable", {"be": False, "bs": False}),
]


@pytest.mark.parametrize("knobs", [pytest.param(knobs, id=name) for name, knobs in LIES])
def test_a_passkey_that_lies(
    town: House, shop: RelyingParty, alice: Person, knobs: dict[str, Any]
) -> None:
    soft = town.passkey(alice)
    agent, page = start(town, shop)
    response = send(agent, page, "passkey", passkey_response=assertion(page, soft, **knobs))
    assert response.status_code == 422
    again = shown(agent.get(page.path))
    honest = send(agent, again, "passkey", passkey_response=assertion(again, soft))
    assert honest.status_code == 303


def test_a_passkey_without_verification_where_it_is_required(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    soft = town.passkey(alice)
    agent = signed_in(town, shop, alice, answers={"passkey": passkey(soft)})
    town.clock.advance(hours=1)
    page = agent.page(shop.authorization_url(acr_values="phr", max_age=60))
    options = find_object(page.document.data, "challenge")
    assert options is not None
    assert options["userVerification"] == "required"
    response = send(agent, page, "passkey", passkey_response=assertion(page, soft, uv=False))
    assert response.status_code == 422
    assert "did not check that it is you" in response.text


def test_another_persons_passkey_in_a_step_that_is_hers(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    town.passkey(alice)
    his = town.passkey(bob)
    agent, page = start(town, shop)
    page = shown(enter(agent, page, alice))
    credential = next(iter(his.credentials.values()))
    answer = assertion(page, his, credential=credential)
    response = send(agent, page, "passkey", passkey_response=answer)
    assert response.status_code == 422
    assert "another account" in response.text
    assert silently(agent, shop) == "login_required"


def test_an_assertion_for_anybody_is_no_answer_to_a_step_that_is_hers(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    town.totp(alice)
    his = town.passkey(bob)
    agent, page = start(town, shop)
    answer = assertion(page, his)
    shown(enter(agent, page, alice))
    step = shown(agent.get(page.path))
    assert send(agent, step, "passkey", passkey_response=answer).status_code == 422
    assert silently(agent, shop) == "login_required"


def test_a_deleted_passkey(town: House, shop: RelyingParty, alice: Person) -> None:
    stranger = SoftAuthenticator(town.settings.issuer)
    options = {
        "challenge": "AAAA",
        "rp": {"id": "localhost"},
        "user": {"id": "AAAA"},
        "pubKeyCredParams": [{"alg": -7}],
    }
    stranger.make_credential(options)
    agent, page = start(town, shop)
    response = send(agent, page, "passkey", passkey_response=assertion(page, stranger))
    assert response.status_code == 422
    assert "no longer linked to an account" in response.text


def test_a_disabled_persons_passkey(town: House, shop: RelyingParty, alice: Person) -> None:
    soft = town.passkey(alice)
    town.do(lambda idp: idp.accounts.disable(user_of(idp, alice), town.context))
    agent, page = start(town, shop)
    response = send(agent, page, "passkey", passkey_response=assertion(page, soft))
    assert response.status_code == 422
    assert silently(agent, shop) == "login_required"
    (event, *_) = events(town, user_id=alice.id, event="login.passkey.refused")
    assert event.data["reason"] == "disabled"


GARBAGE = ["", "null", "[]", "{}", "{", "\0", '{"id": 1}', "x" * 100_000, '{"response": {}}']


@pytest.mark.parametrize("sent", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_for_a_passkey(town: House, shop: RelyingParty, alice: Person, sent: str) -> None:
    soft = town.passkey(alice)
    agent, page = start(town, shop)
    assert send(agent, page, "passkey", passkey_response=sent).status_code in (303, 422)
    assert silently(agent, shop) == "login_required"
    again = shown(agent.get(page.path))
    honest = send(agent, again, "passkey", passkey_response=assertion(again, soft))
    assert honest.status_code == 303


# TOTP


@pytest.fixture
def at_the_code(
    town: House, shop: RelyingParty, alice: Person
) -> tuple[UserAgent, Page, pyotp.TOTP]:
    """A browser that is asked for a code."""
    seed = town.totp(alice)
    town.clock.advance(minutes=2)
    agent, page = start(town, shop)
    return agent, shown(enter(agent, page, alice)), pyotp.TOTP(seed)


Step = tuple[UserAgent, Page, pyotp.TOTP]

CODES = [
    ("the present one", 0, True),
    ("the last one", -30, True),
    ("the next one", 30, True),
    ("the one before the last", -60, False),
    ("the one after the next", 60, False),
]


@pytest.mark.parametrize(
    ("seconds", "right"), [pytest.param(seconds, right, id=name) for name, seconds, right in CODES]
)
def test_a_code_of_one_step_either_way(
    town: House, at_the_code: Step, seconds: int, right: bool
) -> None:
    agent, page, app = at_the_code
    code = app.at(town.clock() + timedelta(seconds=seconds))
    assert send(agent, page, "totp", otp=code).status_code == (303 if right else 422)


def test_a_code_as_people_type_it(town: House, at_the_code: Step) -> None:
    agent, page, app = at_the_code
    code = app.at(town.clock())
    assert send(agent, page, "totp", otp=f" {code[:3]}-{code[3:]} ").status_code == 303


def test_a_code_counts_once(
    town: House, shop: RelyingParty, alice: Person, at_the_code: Step
) -> None:
    agent, page, app = at_the_code
    code = app.at(town.clock())
    assert send(agent, page, "totp", otp=code).status_code == 303
    other, again = start(town, shop)
    again = shown(enter(other, again, alice))
    replayed = send(other, again, "totp", otp=code)
    assert (replayed.status_code, "used already" in replayed.text) == (422, True)
    town.clock.advance(seconds=30)
    assert send(other, again, "totp", otp=app.at(town.clock())).status_code == 303


def test_a_code_counts_once_also_when_the_clock_goes_back(
    town: House, shop: RelyingParty, alice: Person, at_the_code: Step
) -> None:
    agent, page, app = at_the_code
    code = app.at(town.clock())
    assert send(agent, page, "totp", otp=code).status_code == 303
    town.clock.advance(hours=1)
    other, again = start(town, shop)
    again = shown(enter(other, again, alice))
    town.clock.advance(hours=-1)
    try:
        assert send(other, again, "totp", otp=code).status_code == 422
    finally:
        town.clock.advance(hours=1)


def test_another_persons_code(town: House, bob: Person, at_the_code: Step) -> None:
    agent, page, app = at_the_code
    his = pyotp.TOTP(town.totp(bob))
    town.clock.advance(minutes=1)
    assert send(agent, page, "totp", otp=his.at(town.clock())).status_code == 422
    assert send(agent, page, "totp", otp=app.at(town.clock())).status_code == 303


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\0" * 6])
def test_what_is_no_code(at_the_code: Step, typed: str) -> None:
    agent, page, _app = at_the_code
    response = send(agent, page, "totp", otp=typed)
    assert response.status_code in (303, 422)
    assert shown(agent.get(page.path)).document.headings == ["Enter your code"]


# Recovery codes


def test_a_recovery_code_works_once_and_is_told_by_mail(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    codes = town.recovery_codes(alice)
    before = len(mails(town, alice.email))
    agent, page = start(town, shop)
    page = shown(enter(agent, page, alice))
    assert page.document.headings[0] == "Enter your code"
    page = agent.page(page.link("Use a recovery code"))
    response = send(agent, page, "recovery_code", recovery_code=codes[0].lower())
    assert amr(shop, response) == ["pwd", "recovery", "mfa"]
    (event,) = events(town, user_id=alice.id, event="login.recovery_code.accepted")
    assert event.data["remaining"] == 9
    letter = mails(town, alice.email)[before:][0]
    assert "recovery code" in letter["text"]
    assert codes[0] not in letter["text"]
    other, again = start(town, shop)
    again = shown(enter(other, again, alice))
    replayed = send(other, again, "recovery_code", recovery_code=codes[0])
    assert (replayed.status_code, "used already" in replayed.text) == (422, True)
    assert send(other, again, "recovery_code", recovery_code=codes[1]).status_code == 303


def test_another_persons_recovery_code(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    town.totp(alice)
    town.recovery_codes(alice)
    his = town.recovery_codes(bob)
    agent, page = start(town, shop)
    page = shown(enter(agent, page, alice))
    assert send(agent, page, "recovery_code", recovery_code=his[0]).status_code == 422
    assert silently(agent, shop) == "login_required"


def test_a_recovery_code_alone_opens_nothing(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    codes = town.recovery_codes(alice)
    agent, page = start(town, shop)
    response = send(agent, page, "recovery_code", recovery_code=codes[0], username=alice.email)
    assert response.status_code == 422
    page = shown(enter(agent, page, alice))
    assert send(agent, page, "recovery_code", recovery_code=codes[0]).status_code == 303


# The wrong order


def test_a_code_before_anybody_is_known(town: House, shop: RelyingParty, alice: Person) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent, page = start(town, shop)
    code = pyotp.TOTP(seed).at(town.clock())
    response = send(agent, page, "totp", otp=code, username=alice.email)
    assert response.status_code == 422
    assert "not what is needed now" in response.text
    page = shown(enter(agent, page, alice))
    assert send(agent, page, "totp", otp=code).status_code == 303


def test_what_was_not_asked_for_counts_for_nothing(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    """She owns a passkey; the step-up wants a password that was proved too long ago."""
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=5)
    page = agent.page(shop.authorization_url(prompt="login"))
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    response = send(agent, page, "totp", otp=pyotp.TOTP(seed).at(town.clock()))
    assert response.status_code == 422
    assert event_names(town, user_id=alice.id, event="login.totp") == ["login.totp.refused"]


@pytest.mark.parametrize("method", ["nobody", "PASSWORD", "password%00", "account", "consent"])
def test_a_way_there_is_not(town: House, shop: RelyingParty, method: str) -> None:
    agent, page = start(town, shop)
    assert agent.client.get(f"{page.path}/{method}").status_code in (303, 404)


# Mailed link and code


def ask_for_mail(
    house: House, shop: RelyingParty, person: Person, **changes: object
) -> tuple[UserAgent, Page, dict[str, Any]]:
    """A browser that has asked for the mail, the page it is on, and the mail."""
    agent, page = start(house, shop, **changes)
    form = page.form("/password")
    mail = form.button("Email me a sign-in link")
    page = shown(agent.submit(page, form, {"username": person.email}, button=mail))
    return agent, page, mails(house, person.email)[-1]


def code_in(letter: dict[str, Any]) -> str:
    (code,) = set(re.findall(r"(?<![\w/-])\d{6}(?!\w)", letter["text"]))
    return str(code)


def test_the_code_in_the_mail(town: House, shop: RelyingParty, alice: Person) -> None:
    agent, page, letter = ask_for_mail(town, shop, alice)
    assert page.document.headings[0] == "Check your email"
    place = agent.submit(page, page.form("/magic_link"), {"code": code_in(letter)})
    tokens = shop.finish(gone(place))
    assert (tokens.claims["sub"], tokens.claims["amr"]) == (alice.id, ["email"])


def test_the_link_in_the_mail_in_the_same_browser(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent, page, letter = ask_for_mail(town, shop, alice)
    opened = agent.page(link_in(letter))
    assert opened.document.headings == ["Sign in to Shop?"]
    again = agent.page(link_in(letter))
    assert silently(agent, shop) == "login_required"
    form = again.document.forms[0]
    first, second = (agent.client.post(form.action, data=form.fields) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    tokens = tokens_at(shop, first)
    assert (tokens.claims["sub"], tokens.claims["amr"]) == (alice.id, ["email"])
    late = agent.submit(page, page.form("/magic_link"), {"code": code_in(letter)})
    assert gone(late).url == first.headers["Location"]


def test_the_link_in_another_browser_signs_neither_in(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent, page, letter = ask_for_mail(town, shop, alice)
    other = town.browser()
    opened = other.page(link_in(letter))
    assert opened.document.headings == ["Go back to where you started"]
    assert code_in(letter) in opened.document.text
    for browser in (agent, other):
        assert silently(browser, shop) == "login_required"
    form = opened.document.forms[0]
    without = {"csrf_token": form.fields["csrf_token"]}
    assert other.client.post(form.action, data=without).status_code == 200
    for browser in (agent, other):
        assert silently(browser, shop) == "login_required"
    place = agent.submit(page, page.form("/magic_link"), {"code": code_in(letter)})
    assert shop.finish(gone(place)).claims["sub"] == alice.id


def test_the_links_secret_counts_in_no_other_sign_in(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent, page, letter = ask_for_mail(town, shop, alice)
    secret = link_in(letter).rpartition("/")[2]
    for other, begun in (start(town, shop), (agent, agent.page(shop.authorization_url()))):
        refused = send(other, begun, "magic_link", token=secret)
        assert refused.status_code == 422
        assert "belongs to another browser" in refused.text
        assert silently(other, shop) == "login_required"
    assert send(agent, page, "magic_link", token=secret).status_code == 303


def test_signing_in_here_instead_gives_the_first_browser_nothing(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent, page, letter = ask_for_mail(town, shop, alice)
    other = town.browser()
    opened = other.page(link_in(letter))
    form = opened.document.forms[0]
    home = shown(other.submit(opened, form, button="Sign in here instead"))
    assert home.path == "/me"
    assert alice.email in home.document.text
    late = shown(agent.submit(page, page.form("/magic_link"), {"code": code_in(letter)}))
    assert late.status == 422
    assert silently(agent, shop) == "login_required"


def test_signing_in_here_instead_still_asks_for_the_second_step(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    _agent, _page, letter = ask_for_mail(town, shop, alice)
    other = town.browser()
    opened = other.page(link_in(letter))
    step = shown(other.submit(opened, opened.document.forms[0], button="Sign in here instead"))
    assert step.document.headings[0] == "Enter your code"
    assert silently(other, shop) == "login_required"
    code = pyotp.TOTP(seed).at(town.clock())
    assert shown(other.submit(step, step.form("/totp"), {"otp": code})).path == "/me"
    (session,) = sessions_of(town, alice)
    assert session.token_hash is not None


def test_mail_and_code_are_two_steps_and_not_two_kinds(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent, page, letter = ask_for_mail(town, shop, alice)
    step = shown(agent.submit(page, page.form("/magic_link"), {"code": code_in(letter)}))
    assert step.document.headings[0] == "Enter your code"
    code = pyotp.TOTP(seed).at(town.clock())
    claims = shop.finish(gone(agent.submit(step, step.form("/totp"), {"otp": code}))).claims
    assert (claims["acr"], claims["amr"]) == ("urn:idp:acr:1fa", ["otp", "email"])


def test_a_newer_mail_ends_the_older(town: House, shop: RelyingParty, alice: Person) -> None:
    agent, page, old = ask_for_mail(town, shop, alice)
    again = press(agent, page, "/magic_link", "Send it again")
    new = mails(town, alice.email)[-1]
    assert link_in(old) != link_in(new)
    assert town.browser().page(link_in(old)).status == 410
    refused = shown(agent.submit(page, page.form("/magic_link"), {"code": code_in(old)}))
    if code_in(old) != code_in(new):
        assert refused.status == 422
    form = shown(again).form("/magic_link")
    assert gone(agent.submit(shown(again), form, {"code": code_in(new)})).parameters["code"]


def test_asking_twice_at_once_sends_one_mail(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent, page = start(town, shop)
    responses = [
        send(agent, page, "magic_link", username=alice.email, send="link") for _ in range(2)
    ]
    places = [shown(agent.get(response.headers["Location"])) for response in responses]
    assert [place.document.headings[0] for place in places] == ["Check your email"] * 2
    assert len(mails(town, alice.email)) == 1


def test_ten_minutes_and_no_longer(town: House, shop: RelyingParty, alice: Person) -> None:
    agent, page, letter = ask_for_mail(town, shop, alice)
    town.clock.advance(minutes=10, seconds=-1)
    assert town.browser().page(link_in(letter)).status == 200
    town.clock.advance(seconds=1)
    assert town.browser().page(link_in(letter)).status == 410
    late = shown(agent.submit(page, page.form("/magic_link"), {"code": code_in(letter)}))
    assert late.status == 422


def test_a_code_that_is_over_still_says_where_it_was_sent(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent, page, letter = ask_for_mail(town, shop, alice)
    town.clock.advance(minutes=11)
    page = shown(agent.submit(page, page.form("/magic_link"), {"code": code_in(letter)}))
    assert page.document.headings[0] == "Check your email"
    assert f"If an account exists for {alice.email} , we sent it" in page.document.text
    assert "That no longer works" in page.document.text
    page = shown(press(agent, page, "/magic_link", "Send it again"))
    assert f"If an account exists for {alice.email} , we sent it" in page.document.text
    code = code_in(mails(town, alice.email)[-1])
    place = agent.submit(page, page.form("/magic_link"), {"code": code})
    assert shop.finish(gone(place)).claims["amr"] == ["email"]


def test_where_no_mail_was_asked_for_none_is_said_to_be_sent(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    for hint in ({}, {"login_hint": alice.email}):
        agent = town.browser()
        page = agent.page(shop.authorization_url(**hint))
        page = agent.page(f"{page.path}/magic_link")
        assert page.document.headings == ["Sign in to Shop"]
        assert {"username", "password"} <= set(page.form("/password").inputs)
        assert "we sent" not in page.document.text


def test_whoever_is_known_asks_for_the_mail_by_a_button(
    first_the_name: House, alice: Person
) -> None:
    agent, page = start(first_the_name, first_the_name.client(consent="never"))
    page = shown(press_continue(agent, page, alice.email))
    page = agent.page(f"{page.path}/magic_link")
    assert page.document.headings[0] == "Sign in by email"
    assert "code" not in page.form("/magic_link").inputs
    page = shown(press(agent, page, "/magic_link", "Email me a sign-in link"))
    assert page.document.headings[0] == "Check your email"


def test_the_wait_for_another_mail_counts_from_the_last_one(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent, page, _letter = ask_for_mail(town, shop, alice)
    assert 'data-wait="60"' in page.response.text
    town.clock.advance(seconds=25)
    page = shown(agent.submit(page, page.form("/magic_link"), {"code": "12345"}))
    assert page.status == 422
    assert 'data-wait="35"' in page.response.text
    town.clock.advance(seconds=35)
    assert "data-wait=" not in agent.page(page.url).response.text


def test_a_code_is_guessed_at_five_times(town: House, shop: RelyingParty, alice: Person) -> None:
    agent, page, letter = ask_for_mail(town, shop, alice)
    right = code_in(letter)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        place = shown(agent.submit(page, page.form("/magic_link"), {"code": wrong}))
        assert place.status == 422
    place = shown(agent.submit(page, page.form("/magic_link"), {"code": right}))
    assert place.status in (422, 429)
    assert silently(agent, shop) == "login_required"


def test_i_did_not_ask_for_this(town: House, shop: RelyingParty, alice: Person) -> None:
    agent, page, letter = ask_for_mail(town, shop, alice)
    other = town.browser()
    opened = other.page(link_in(letter))
    thanks = shown(press(other, opened, "/report", "I didn’t ask for this"))
    assert "Thank you" in thanks.document.headings[0]
    place = shown(agent.submit(page, page.form("/magic_link"), {"code": code_in(letter)}))
    assert place.status == 422
    assert events(town, event="login.link.disowned")


def test_the_tick_counts_for_the_link(town: House, shop: RelyingParty, alice: Person) -> None:
    agent, page = start(town, shop)
    form = page.form("/password")
    values = {"username": alice.email, "remember": "yes"}
    agent.submit(page, form, values, button="Email me a sign-in link")
    opened = agent.page(link_in(mails(town, alice.email)[-1]))
    agent.submit(opened, opened.document.forms[0])
    (session,) = sessions_of(town, alice)
    assert session.persistent


def test_what_opens_the_link_is_told_whose_it_is_only_behind_a_mask(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    _agent, _page, letter = ask_for_mail(town, shop, alice)
    opened = town.browser().page(link_in(letter))
    assert alice.email not in opened.response.text
    assert "Firefox" in opened.document.text or "Linux" in opened.document.text


def test_an_unverified_address_gets_no_link(town: House, shop: RelyingParty) -> None:
    ana = newcomer(town, email_verified=False)
    agent, page = start(town, shop)
    form = page.form("/password")
    page = shown(
        agent.submit(
            page, form, {"username": ana.email}, button=form.button("Email me a sign-in link")
        )
    )
    assert page.document.headings[0] == "Check your email"
    assert mails(town, ana.email) == []


# Styles


@pytest.fixture(scope="module")
def first_the_name(databases_url: str, town: House) -> House:
    return House(databases_url, town.clock, login_style="identifier_first")


@pytest.fixture(scope="module")
def only_passkeys(databases_url: str, town: House) -> House:
    return House(databases_url, town.clock, login_style="passkey_only")


def test_the_address_first_then_the_passkeys_of_whoever_it_is(
    first_the_name: House, alice: Person
) -> None:
    house = first_the_name
    shop = house.client(consent="never")
    soft = house.passkey(alice)
    agent, page = start(house, shop)
    assert "password" not in page.form("/identify").inputs
    page = shown(press_continue(agent, page, alice.email))
    assert page.path.count("/") == 2
    page = agent.page(page.link("Use a passkey") if _links(page) else f"{page.path}/passkey")
    options = find_object(page.document.data, "challenge")
    assert options is not None
    assert options["allowCredentials"] == [], "that would tell whose address it is"
    response = send(agent, page, "passkey", passkey_response=assertion(page, soft))
    assert amr(shop, response) == ["pop", "user", "swk", "mfa"]


def _links(page: Page) -> bool:
    return "Use a passkey" in [label for label, _ in page.document.links]


def press_continue(agent: UserAgent, page: Page, username: str) -> Any:
    return agent.submit(page, page.form("/identify"), {"username": username}, button="Continue")


def test_the_address_first_then_the_password(first_the_name: House, alice: Person) -> None:
    house = first_the_name
    shop = house.client(consent="never")
    agent, page = start(house, shop)
    page = shown(press_continue(agent, page, alice.email))
    assert alice.email in page.document.text
    place = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert shop.finish(gone(place)).claims["amr"] == ["pwd"]


def test_the_address_first_and_a_passkey_without_it(first_the_name: House, alice: Person) -> None:
    house = first_the_name
    shop = house.client(consent="never")
    soft = house.passkey(alice)
    agent, page = start(house, shop)
    response = send(agent, page, "passkey", passkey_response=assertion(page, soft))
    assert amr(shop, response) == ["pop", "user", "swk", "mfa"]


def test_an_address_nobody_has_is_asked_the_same(first_the_name: House, alice: Person) -> None:
    house = first_the_name
    house.passkey(alice)
    shop = house.client(consent="never")
    shapes = []
    for username in (alice.email, "nobody@example.com", "nobody"):
        agent, page = start(house, shop)
        page = shown(press_continue(agent, page, username))
        options = find_object(page.document.data, "challenge")
        shapes.append(
            (
                page.status,
                page.document.headings,
                [form.action.rpartition("/")[2] for form in page.document.forms],
                bool(options["allowCredentials"]) if options else None,
            )
        )
    assert shapes[0] == shapes[1] == shapes[2]


def test_no_address_typed(first_the_name: House) -> None:
    agent, page = start(first_the_name, first_the_name.client())
    page = shown(press_continue(agent, page, " "))
    assert (page.status, "Enter your email address." in page.document.text) == (422, True)


def test_the_address_can_be_corrected(first_the_name: House, alice: Person) -> None:
    house = first_the_name
    shop = house.client(consent="never")
    agent, page = start(house, shop)
    page = shown(press_continue(agent, page, "alcie@example.com"))
    page = shown(press(agent, page, "/leave", "Change"))
    page = shown(press_continue(agent, page, alice.email))
    place = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert shop.finish(gone(place)).claims["sub"] == alice.id


def test_where_there_are_only_passkeys_nothing_else_is_asked_for(
    only_passkeys: House, alice: Person
) -> None:
    house = only_passkeys
    shop = house.client(consent="never")
    soft = house.passkey(alice)
    agent, page = start(house, shop)
    fields = {name for form in page.document.forms for name in form.inputs}
    assert not {"password", "username", "code"} & fields
    response = send(agent, page, "passkey", passkey_response=assertion(page, soft))
    assert amr(shop, response) == ["pop", "user", "swk", "mfa"]


def test_where_there_are_only_passkeys_a_password_opens_nothing(
    only_passkeys: House, alice: Person
) -> None:
    shop = only_passkeys.client(consent="never")
    agent, page = start(only_passkeys, shop)
    response = send(agent, page, "password", username=alice.email, password=alice.password)
    assert response.status_code == 422
    assert silently(agent, shop) == "login_required"


def test_where_there_are_only_passkeys_a_mail_helps_who_has_lost_hers(
    only_passkeys: House, alice: Person
) -> None:
    house = only_passkeys
    shop = house.client(consent="never")
    agent, page = start(house, shop)
    form = page.form("/passkey")
    page = shown(agent.submit(page, form, button="Email me a sign-in link"))
    assert page.status == 200
    assert "username" in page.form("/identify").inputs
    page = shown(press_continue(agent, page, alice.email))
    assert page.document.headings[0] == "Check your email"  # it is under way at once
    (letter,) = mails(house, alice.email)
    code = code_in(letter)
    place = agent.submit(page, page.form("/magic_link"), {"code": code})
    assert shop.finish(gone(place)).claims["amr"] == ["email"]
