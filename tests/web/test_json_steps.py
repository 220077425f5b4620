"""The sign-in for scripts: the same steps, the same rules, in JSON."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pyotp
import pytest

from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import CALLBACK, PASSWORD, House, Person
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.helpers.user_agent import Departure, UserAgent
from tests.web.account.visits import mails
from tests.web.walking import event_names, newcomer, silently


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


class Script:
    """A program that signs somebody in, with nothing but JSON and cookies."""

    def __init__(self, house: House, url: str) -> None:
        self.agent: UserAgent = house.browser()
        self.path = self.agent.client.get(url).headers["Location"]

    def look(self) -> dict[str, Any]:
        response = self.agent.client.get(self.path, headers={"Accept": "application/json"})
        assert response.headers["Content-Type"] == "application/json"
        body: dict[str, Any] = response.json()
        return body

    def post(self, path: str = "", **body: Any) -> httpx.Response:
        return self.agent.json(f"{self.path}{path}", body)

    def say(self, path: str = "", **body: Any) -> dict[str, Any]:
        """Post what will be accepted; returns the answer."""
        response = self.post(path, **body)
        assert response.status_code == 200, response.text
        assert response.headers["Cache-Control"] == "no-store"
        answer: dict[str, Any] = response.json()
        return answer

    def refused(self, status: int, path: str = "", **body: Any) -> str:
        """Post what will not; returns the error, and asserts that it comes with a message."""
        response = self.post(path, **body)
        assert response.status_code == status, response.text
        answer = response.json()
        assert answer["message"]
        return str(answer["error"])


def finish(shop: RelyingParty, answer: dict[str, Any]) -> Tokens:
    return shop.finish(Departure(answer["redirect"]))


@pytest.fixture
def script(town: House, shop: RelyingParty) -> Script:
    return Script(town, shop.authorization_url())


def password(person: Person) -> dict[str, str]:
    return {"username": person.email, "password": person.password}


def test_a_password(shop: RelyingParty, script: Script, alice: Person) -> None:
    first = script.look()
    assert first["next"] == "password"
    assert set(first["choices"]) == {"password", "passkey", "magic_link"}
    tokens = finish(shop, script.say(**password(alice)))
    assert (tokens.claims["sub"], tokens.claims["amr"]) == (alice.id, ["pwd"])


def test_a_password_and_a_code_on_the_same_step(
    town: House, shop: RelyingParty, script: Script, alice: Person
) -> None:
    seed = town.totp(alice)
    town.recovery_codes(alice)
    town.clock.advance(minutes=1)
    answer = script.say(**password(alice))
    assert answer["next"] == "totp"
    assert answer["choices"] == ["totp", "recovery_code"]
    assert silently(script.agent, shop) == "login_required"
    tokens = finish(shop, script.say(otp=pyotp.TOTP(seed).at(town.clock())))
    assert tokens.claims["amr"] == ["pwd", "otp", "mfa"]


def test_a_number_is_as_good_as_its_text(
    town: House, shop: RelyingParty, script: Script, alice: Person
) -> None:
    app = pyotp.TOTP(town.totp(alice))
    town.clock.advance(minutes=1)
    while app.at(town.clock()).startswith("0"):
        town.clock.advance(seconds=30)
    script.say(**password(alice))
    assert finish(shop, script.say(otp=int(app.at(town.clock()))))


def test_a_recovery_code(town: House, shop: RelyingParty, script: Script, alice: Person) -> None:
    town.totp(alice)
    codes = town.recovery_codes(alice)
    script.say(**password(alice))
    tokens = finish(shop, script.say(recovery_code=codes[0]))
    assert tokens.claims["amr"] == ["pwd", "recovery", "mfa"]


@pytest.mark.parametrize("as_text", [False, True], ids=["an object", "its text"])
def test_a_passkey(
    town: House, shop: RelyingParty, script: Script, alice: Person, as_text: bool
) -> None:
    soft = town.passkey(alice)
    options = script.look()["options"]["passkey"]["options"]
    answer: Any = soft.get_assertion(options)
    sent = json.dumps(answer) if as_text else answer
    tokens = finish(shop, script.say(passkey_response=sent))
    assert tokens.claims["amr"] == ["pop", "user", "swk", "mfa"]


def test_a_passkey_as_second_step(
    town: House, shop: RelyingParty, script: Script, alice: Person
) -> None:
    soft = town.passkey(alice)
    answer = script.say(**password(alice))
    assert answer["next"] == "passkey"
    options = answer["options"]["passkey"]["options"]
    tokens = finish(shop, script.say(passkey_response=soft.get_assertion(options)))
    assert tokens.claims["amr"] == ["pwd", "pop", "user", "swk", "mfa"]


def test_the_factors_own_address_does_as_well(
    shop: RelyingParty, script: Script, alice: Person
) -> None:
    assert finish(shop, script.say("/password", **password(alice)))


def test_a_mailed_code(town: House, shop: RelyingParty, script: Script, alice: Person) -> None:
    answer = script.say("/magic_link", username=alice.email)
    assert answer["next"] == "magic_link"
    text = mails(town, alice.email)[-1]["text"]
    code = next(word for word in text.split() if word.isdigit() and len(word) == 6)
    assert finish(shop, script.say(code=code)).claims["amr"] == ["email"]


def test_consent(town: House, alice: Person) -> None:
    shop = town.client(consent="always")
    script = Script(town, shop.authorization_url())
    answer = script.say(**password(alice))
    assert (answer["next"], answer["choices"]) == ("consent", ["allow", "cancel"])
    assert (answer["scopes"], answer["resources"]) == (["openid"], [])
    assert finish(shop, script.say("/consent", decision="allow"))


def test_consent_names_the_apis_that_it_is_for(town: House, alice: Person) -> None:
    apis = ["https://api.example/orders", "https://other.example"]
    shop = town.client(consent="always", allowed_resources=apis)
    script = Script(town, f"{shop.authorization_url()}&{urlencode({'resource': apis}, doseq=True)}")
    assert script.say(**password(alice))["resources"] == apis


def test_consent_refused(town: House, alice: Person) -> None:
    shop = town.client(consent="always")
    script = Script(town, shop.authorization_url())
    script.say(**password(alice))
    parameters = Departure(script.say("/consent", decision="cancel")["redirect"]).parameters
    assert (parameters["error"], parameters["iss"]) == ("access_denied", shop.issuer)


def test_the_choice_of_an_account(
    town: House, shop: RelyingParty, script: Script, alice: Person
) -> None:
    script.say(**password(alice))
    url = shop.authorization_url(prompt="select_account")
    script.path = script.agent.client.get(url).headers["Location"]
    answer = script.look()
    assert (answer["next"], answer["choices"]) == ("account", [alice.id, "other"])
    assert finish(shop, script.say("/account", account=alice.id))


@pytest.mark.parametrize("body", [{}, {"account": "somebody"}], ids=["nothing", "somebody"])
def test_an_account_that_was_not_offered_is_nobody(
    shop: RelyingParty, script: Script, alice: Person, body: dict[str, str]
) -> None:
    script.say(**password(alice))
    url = shop.authorization_url(prompt="select_account")
    script.path = script.agent.client.get(url).headers["Location"]
    assert script.refused(422, "/account", **body) == "nothing_sent"
    assert finish(shop, script.say("/account", account=alice.id))


def test_what_is_neither_yes_nor_no_is_asked_again(town: House, alice: Person) -> None:
    shop = town.client(consent="always")
    script = Script(town, shop.authorization_url())
    script.say(**password(alice))
    assert script.refused(422, "/consent") == "nothing_sent"
    assert script.refused(422, "/consent", decision="yes") == "nothing_sent"
    assert finish(shop, script.say("/consent", decision="allow"))


def test_an_empty_code_asks_for_no_other_mail(town: House, script: Script, alice: Person) -> None:
    script.say("/magic_link", username=alice.email)
    assert script.refused(401, "/magic_link", code="") == "missing"
    assert len(mails(town, alice.email)) == 1


def needing_more(town: House, shop: RelyingParty, alice: Person) -> Script:
    """Somebody who has a password, where two factors are asked for."""
    script = Script(town, shop.authorization_url(acr_values="urn:idp:acr:mfa"))
    answer = script.say(**password(alice))
    assert answer["choices"] == answer["enrol"] == ["passkey", "totp"]
    return script


def test_setting_an_app_up_on_the_way(town: House, shop: RelyingParty, alice: Person) -> None:
    script = needing_more(town, shop, alice)
    page = script.agent.client.get(f"{script.path}/totp", headers={"Accept": "application/json"})
    secret = page.json()["options"]["totp"]["secret"].replace(" ", "")
    made = script.say("/totp", otp=pyotp.TOTP(secret).at(town.clock()))
    assert made["redirect"] == script.path
    codes = made["show_once"]["recovery_code"]["codes"]
    assert len(codes) == 10
    assert finish(shop, script.look()).claims["amr"] == ["pwd", "otp", "mfa"]
    again = Script(town, shop.authorization_url())
    again.say(**password(alice))
    assert finish(shop, again.say(recovery_code=codes[0]))


def test_setting_a_passkey_up_on_the_way(town: House, shop: RelyingParty, alice: Person) -> None:
    script = needing_more(town, shop, alice)
    page = script.agent.client.get(f"{script.path}/passkey", headers={"Accept": "application/json"})
    options = page.json()["options"]["passkey"]["options"]
    made = SoftAuthenticator(town.settings.issuer).make_credential(options)
    script.say("/passkey", passkey_response=made)
    assert finish(shop, script.look()).claims["amr"] == ["pwd", "pop", "user", "swk", "mfa"]


def test_a_name_of_somebody_else_is_not_overlooked(
    town: House, shop: RelyingParty, script: Script, alice: Person
) -> None:
    """Both have the same password, and one of them is who the sign-in is of."""
    bob = newcomer(town)
    script.say(**password(alice))
    town.clock.advance(seconds=1)
    script.path = script.agent.client.get(shop.authorization_url(prompt="login")).headers[
        "Location"
    ]
    assert script.refused(401, **password(bob)) == "other_person"
    assert script.refused(401, username="no name at all", password=PASSWORD) == "other_person"
    typed = {"username": alice.email.upper(), "password": PASSWORD}
    assert finish(shop, script.say(**typed)).claims["sub"] == alice.id


def test_cancelling(script: Script) -> None:
    assert "error=access_denied" in script.say("/cancel")["redirect"]


def test_an_answer_by_form_post_is_told_in_full(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    script = Script(town, shop.authorization_url(response_mode="form_post"))
    answer = script.say(**password(alice))
    assert answer["redirect"] == CALLBACK
    tokens = shop.finish(Departure(answer["redirect"], answer["form"]))
    assert tokens.claims["sub"] == alice.id


def test_a_page_of_our_own(town: House, alice: Person) -> None:
    script = Script(town, "/login/")
    answer = script.say(**password(alice))
    assert answer == {"redirect": "/me"}
    assert script.agent.page(answer["redirect"]).path == "/me"


# Refusals


def test_what_is_refused_and_how(town: House, script: Script, alice: Person) -> None:
    town.totp(alice)
    assert script.refused(401, username=alice.email, password="wrong") == "wrong"
    assert script.refused(401, otp="123456") == "not_asked"
    assert script.refused(401, recovery_code="0000-0000-0000-0000-0000-0000") == "not_asked"
    assert script.refused(401, passkey_response={"id": "x"}) == "malformed"
    assert script.refused(422) == "nothing_sent"
    assert script.refused(422, username=alice.email) == "nothing_sent"
    assert script.refused(422, "/magic_link") == "no_address"
    script.say(**password(alice))
    assert script.refused(401, otp="000000") == "wrong"
    assert script.refused(401, otp="12") == "malformed"


def test_an_unknown_person_is_refused_like_a_known_one(script: Script, alice: Person) -> None:
    known = script.post(username=alice.email, password="wrong")
    unknown = script.post(username="nobody@example.com", password="wrong")
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


def test_too_many_tries(script: Script, alice: Person) -> None:
    for _ in range(10):
        assert script.refused(401, username=alice.email, password="wrong") == "wrong"
    response = script.post(**password(alice))
    assert (response.status_code, response.json()["error"]) == (429, "too_many")
    assert response.headers["Retry-After"] == "900"


def test_a_pending_sign_in_that_is_not_there_answers_401(
    town: House, shop: RelyingParty, script: Script, alice: Person
) -> None:
    other = Script(town, shop.authorization_url())
    mine, other.path = other.path, script.path
    assert other.refused(401, **password(alice)) == "login_required"
    other.path = "/login/AAAAAAAAAAAAAAAAAAAAAA"
    assert other.refused(401, **password(alice)) == "login_required"
    response = other.agent.client.get(other.path, headers={"Accept": "application/json"})
    assert response.status_code == 401
    other.path = mine
    town.clock.advance(minutes=30)
    assert other.refused(401, **password(alice)) == "login_required"
    assert event_names(town, user_id=alice.id, event="login") == []


def test_the_second_step_missing_its_first_answers_401(
    town: House, script: Script, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    script.say(**password(alice))
    town.clock.advance(minutes=31)
    code = pyotp.TOTP(seed).at(town.clock())
    assert script.refused(401, otp=code) == "login_required"


def test_the_same_answer_twice(shop: RelyingParty, script: Script, alice: Person) -> None:
    assert script.say(**password(alice)) == script.say(**password(alice))
    assert script.look() == script.say(**password(alice))


BODIES = [
    ("no JSON", b"{", 400),
    ("a list", b"[]", 400),
    ("a word", b'"otp"', 400),
    ("null", b"null", 400),
    ("nothing", b"", 400),
    ("not UTF-8", b'{"otp": "\xff"}', 400),
    ("many members", json.dumps({f"m{i}": "1" for i in range(100)}).encode(), 400),
    ("a deep one", b'{"otp":' * 17 + b"1" + b"}" * 17, 400),
    (
        "one as deep as may be",
        b'{"username":"a","password":' + b"[" * 15 + b"1" + b"]" * 15 + b"}",
        401,
    ),
    ("a bottomless one", b'{"otp":' * 5000 + b"1" + b"}" * 5000, 400),
    ("a lone surrogate", b'{"username": "\\ud800", "password": "\\ud800"}', 400),
    ("a null character", b'{"username": "a\\u0000@example.com", "password": "\\u0000"}', 401),
    ("a huge number", b'{"username": "a@example.com", "password": ' + b"9" * 5000 + b"}", 400),
    ("an object for a name", b'{"username": {"a": 1}, "password": ["b"]}', 401),
]


@pytest.mark.parametrize(
    ("body", "status"), [pytest.param(body, status, id=name) for name, body, status in BODIES]
)
def test_bodies_that_make_no_sense(script: Script, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    response = script.agent.client.post(script.path, content=body, headers=headers)
    assert response.status_code == status, response.text
    assert {"error", "message"} <= set(response.json())


@pytest.mark.parametrize("step", ["", "/identify", "/magic_link", "/password"])
def test_half_a_character_is_no_text_at_any_step(script: Script, alice: Person, step: str) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    for name in ('"username"', '"\\ud800"'):
        body = f'{{{name}: "\\ud800", "password": "a guess"}}'
        path = f"{script.path}{step}"
        response = script.agent.client.post(path, content=body, headers=headers)
        assert (response.status_code, "message" in response.json()) == (400, True)
    assert script.say(**password(alice))


def test_json_needs_no_token_because_no_foreign_page_can_send_it(
    script: Script, alice: Person
) -> None:
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        response = script.agent.client.post(
            script.path,
            content=json.dumps(password(alice)),
            headers={"Content-Type": kind, "Accept": "application/json"},
        )
        assert response.status_code == 400
        assert response.json()["error"] == "invalid_request"
    preflight = script.agent.client.options(
        script.path,
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert "Access-Control-Allow-Origin" not in preflight.headers
    assert script.say(**password(alice))
