"""One operation, confirmed once: shown, bound to the proof, carried in the tokens."""

import base64
import hashlib
import json
from typing import Any

import httpx
import pyotp
import pytest

from tests.helpers.house import House, Person
from tests.helpers.html import find_object
from tests.helpers.relying_party import AuthorizationFailed, RelyingParty
from tests.helpers.sign_in import passkey, sign_in, totp, typed
from tests.helpers.user_agent import Departure, Page, UserAgent

ORDER = {
    "type": "confirm_operation",
    "id": "order-4711",
    "title": "Pay for your order",
    "amount": {"value": "40.00", "currency": "EUR"},
    "payee": "ACME Lanterns",
    "fields": [{"label": "Order", "value": "4711"}],
    "message": "Thank you for your order",
}


def details(*operations: object) -> str:
    return json.dumps(operations)


def expected_digest(client_id: str, operation: object) -> str:
    """As a relying party would compute it from the documentation."""
    covered = {"client_id": client_id, "operation": operation}
    text = json.dumps(covered, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def alice(house: House) -> Person:
    return house.person()


@pytest.fixture
def shop(house: House) -> RelyingParty:
    return house.client()


def signed_in(house: House, shop: RelyingParty, alice: Person, **answers: Any) -> UserAgent:
    agent = house.browser()
    sign_in(
        agent,
        shop.authorization_url(),
        username=alice.email,
        password=alice.password,
        answers=answers,
    )
    return agent


WORDS = [
    ("JPY", "4000", "Confirm and pay ¥4,000 (JPY)"),
    ("USD", "40.00", "Confirm and pay $40.00 (USD)"),
    ("INR", "40.00", "Confirm and pay ₹40.00"),
    (None, "", "Confirm"),
]


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (ORDER, "Lampwright asks you to"),  # whoever pays is she, not the shop
        ({"type": "confirm_operation", "id": "1", "title": "Delete Atlas"}, "Lampwright wants to"),
    ],
    ids=["a payment", "anything else"],
)
def test_the_app_asks_for_a_payment_and_wants_the_rest(
    house: House, alice: Person, operation: dict[str, Any], says: str
) -> None:
    lampwright = house.client(client_name="Lampwright", consent="never")
    agent = signed_in(house, lampwright, alice)
    house.passkey(alice)
    page = agent.page(lampwright.authorization_url(authorization_details=details(operation)))
    panel = page.response.text.partition('<section class="panel"')[2].partition("</section>")[0]
    assert f">{says}</p>" in panel
    assert operation["title"] in panel


@pytest.mark.parametrize(("currency", "value", "label"), WORDS, ids=[words for *_, words in WORDS])
def test_the_button_says_what_it_does(
    house: House, shop: RelyingParty, alice: Person, currency: str | None, value: str, label: str
) -> None:
    soft = house.passkey(alice)
    agent = signed_in(house, shop, alice, passkey=passkey(soft))
    amount = {"amount": {"value": value, "currency": currency}} if currency else {}
    operation = {"type": "confirm_operation", "id": "1", "title": "Do it", **amount}
    page = agent.page(shop.authorization_url(authorization_details=details(operation)))
    assert f"{label} Use a phone" in page.document.text


def test_a_passkey_confirms_what_was_shown(house: House, shop: RelyingParty, alice: Person) -> None:
    soft = house.passkey(alice)
    agent = signed_in(house, shop, alice, passkey=passkey(soft))
    house.clock.advance(minutes=5)
    url = shop.authorization_url(authorization_details=details(ORDER))
    page = agent.page(url)
    for shown in ("Pay for your order", "€40.00", "ACME Lanterns", "4711", "Thank you", "Shop"):
        assert shown in page.document.text
    assert "Confirm and pay €40.00" in page.document.text
    assert "(EUR)" not in page.document.text
    tokens = shop.finish(sign_in(agent, url, answers={"passkey": passkey(soft)}))
    (carried,) = tokens.claims["authorization_details"]
    assert tokens.raw["authorization_details"] == [carried]  # RFC 9396 section 7
    confirmation = carried.pop("confirmed")
    assert carried == ORDER
    assert confirmation["at"] == int(house.clock().timestamp())
    assert "pop" in confirmation["amr"]
    assert confirmation["digest"] == expected_digest(shop.client_id, ORDER)
    assert tokens.claims["auth_time"] == confirmation["at"]


def test_the_session_at_hand_is_never_enough(
    house: House, shop: RelyingParty, alice: Person
) -> None:
    soft = house.passkey(alice)
    agent = signed_in(house, shop, alice, passkey=passkey(soft))
    assert isinstance(agent.get(shop.authorization_url()), Departure)  # the control: silent
    assert isinstance(agent.get(shop.authorization_url(authorization_details=details(ORDER))), Page)


def test_without_a_page_nothing_can_be_confirmed(
    house: House, shop: RelyingParty, alice: Person
) -> None:
    soft = house.passkey(alice)
    agent = signed_in(house, shop, alice, passkey=passkey(soft))
    url = shop.authorization_url(prompt="none", authorization_details=details(ORDER))
    callback = agent.get(url)
    assert isinstance(callback, Departure)
    assert callback.parameters["error"] == "interaction_required"


def test_two_other_factors_do_only_where_the_registration_says_so(
    house: House, alice: Person
) -> None:
    seed = house.totp(alice)
    house.clock.advance(minutes=1)
    strict, content = house.client(), house.client(confirm_operation_acr="urn:idp:acr:mfa")
    agent = signed_in(house, strict, alice, totp=totp(seed, house.clock))
    house.clock.advance(minutes=1)
    refused = agent.get(strict.authorization_url(authorization_details=details(ORDER)))
    assert isinstance(refused, Departure)
    assert refused.parameters["error"] == "unmet_authentication_requirements"
    url = content.authorization_url(authorization_details=details(ORDER))
    answers = {"password": typed(password=alice.password), "totp": totp(seed, house.clock)}
    tokens = content.finish(sign_in(agent, url, answers=answers))
    (carried,) = tokens.claims["authorization_details"]
    assert carried["confirmed"]["amr"] == ["pwd", "otp", "mfa"]


def test_a_signature_over_another_operation_is_refused(
    house: House, shop: RelyingParty, alice: Person
) -> None:
    """The challenge of one confirmation, signed, does not confirm another."""
    soft = house.passkey(alice)
    agent = signed_in(house, shop, alice, passkey=passkey(soft))
    cheap = agent.page(shop.authorization_url(authorization_details=details(ORDER)))
    dear_order = {**ORDER, "amount": {"value": "4000.00", "currency": "EUR"}}
    dear = agent.page(shop.authorization_url(authorization_details=details(dear_order)))
    signed = soft.get_assertion(options_of(cheap))
    answer = {"passkey_response": json.dumps(signed)}
    refused = agent.json(f"{dear.path}/passkey", answer)
    assert refused.status_code == 401
    accepted = agent.json(f"{cheap.path}/passkey", answer)
    assert "redirect" in accepted.json()


def options_of(page: Page) -> dict[str, Any]:
    found = find_object(page.document.data, "challenge")
    assert found is not None
    return found


def test_one_transaction_confirms_once(house: House, shop: RelyingParty, alice: Person) -> None:
    soft = house.passkey(alice)
    agent = signed_in(house, shop, alice, passkey=passkey(soft))
    page = agent.page(shop.authorization_url(authorization_details=details(ORDER)))
    answer = {"passkey_response": json.dumps(soft.get_assertion(options_of(page)))}
    first = agent.json(f"{page.path}/passkey", answer).json()["redirect"]
    again = agent.json(f"{page.path}/passkey", answer).json()["redirect"]
    assert again == first  # the same code, which is redeemed once


def test_a_confirmation_is_no_standing_permission(house: House, alice: Person) -> None:
    soft = house.passkey(alice)
    shop = house.client(grant_types=["authorization_code", "refresh_token"])
    agent = signed_in(house, shop, alice, passkey=passkey(soft))
    scope = "openid offline_access"
    plain = shop.finish(sign_in(agent, shop.authorization_url(scope=scope)))
    assert "refresh_token" in plain.raw
    url = shop.authorization_url(scope=scope, authorization_details=details(ORDER))
    confirmed = shop.finish(sign_in(agent, url, answers={"passkey": passkey(soft)}))
    assert "refresh_token" not in confirmed.raw


def test_introspection_and_the_access_token_say_the_same(
    house: House, shop: RelyingParty, alice: Person
) -> None:
    soft = house.passkey(alice)
    agent = signed_in(house, shop, alice, passkey=passkey(soft))
    url = shop.authorization_url(authorization_details=details(ORDER))
    tokens = shop.finish(sign_in(agent, url, answers={"passkey": passkey(soft)}))
    answer: httpx.Response = shop.post(
        shop.metadata["introspection_endpoint"], {"token": tokens.access_token}
    )
    payload = json.loads(_decode(tokens.access_token.split(".")[1]))
    assert answer.json()["authorization_details"] == payload["authorization_details"]
    assert payload["authorization_details"] == tokens.claims["authorization_details"]
    assert payload["authorization_details"] == tokens.raw["authorization_details"]


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


MALFORMED: dict[str, object] = {
    "no id": {k: v for k, v in ORDER.items() if k != "id"},
    "no title": {k: v for k, v in ORDER.items() if k != "title"},
    "a member nobody defined": {**ORDER, "hidden": "extra"},
    "an amount that is a number": {**ORDER, "amount": {"value": 40, "currency": "EUR"}},
    "an amount with a comma": {**ORDER, "amount": {"value": "4,000", "currency": "EUR"}},
    "a currency in small letters": {**ORDER, "amount": {"value": "4", "currency": "eur"}},
    "a field with a third member": {
        **ORDER,
        "fields": [{"label": "a", "value": "b", "href": "c"}],
    },
    "too many fields": {**ORDER, "fields": [{"label": "a", "value": "b"}] * 11},
    "a title that turns the text around": {**ORDER, "title": "Pay \u202e00.04"},
    "a type nobody knows": {**ORDER, "type": "payment_initiation"},
}


@pytest.mark.parametrize("operation", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_operation_is_refused(
    house: House, shop: RelyingParty, operation: object
) -> None:
    callback = house.browser().get(shop.authorization_url(authorization_details=details(operation)))
    assert isinstance(callback, Departure)
    assert callback.parameters["error"] == "invalid_authorization_details"


def test_two_operations_at_once_are_refused(house: House, shop: RelyingParty) -> None:
    url = shop.authorization_url(authorization_details=details(ORDER, {**ORDER, "id": "2"}))
    callback = house.browser().get(url)
    assert isinstance(callback, Departure)
    with pytest.raises(AuthorizationFailed, match="invalid_authorization_details"):
        shop.finish(callback)


@pytest.mark.parametrize("where", ["signed in already", "signing in"])
def test_only_the_last_step_says_what_it_does(house: House, alice: Person, where: str) -> None:
    """Before it, a button that says "Confirm and pay" would not be believed the second time."""
    seed = house.totp(alice)
    bank = house.client(confirm_operation_acr="urn:idp:acr:mfa", consent="never")
    house.clock.advance(minutes=1)
    known = where == "signed in already"
    agent = (
        signed_in(house, bank, alice, totp=totp(seed, house.clock)) if known else house.browser()
    )
    house.clock.advance(minutes=1)
    page = agent.page(bank.authorization_url(authorization_details=details(ORDER)))
    assert "€40.00" in page.document.text
    assert "Confirm and pay" not in page.response.text
    given = {"password": alice.password} | ({} if known else {"username": alice.email})
    last = agent.submit(page, page.form("/password"), given)
    assert isinstance(last, Page)
    assert last.form("/totp")
    assert "Confirm and pay €40.00" in last.document.text
    code = pyotp.TOTP(seed).at(house.clock())
    done = agent.submit(last, last.form("/totp"), {"otp": code})
    assert isinstance(done, Departure)
    tokens = bank.finish(done)
    assert tokens.claims["authorization_details"][0]["confirmed"]["amr"] == ["pwd", "otp", "mfa"]


@pytest.mark.parametrize("asked", [{"scope": "openid email"}, {"prompt": "consent"}], ids=str)
def test_no_step_says_so_after_which_she_is_asked_what_it_may_see(
    house: House, alice: Person, asked: dict[str, str]
) -> None:
    soft, shop = house.passkey(alice), house.client(scope="openid email")
    agent = signed_in(house, shop, alice, passkey=passkey(soft))
    told = {"authorization_details": details(ORDER)}
    assert "Confirm and pay" in agent.page(shop.authorization_url(**told)).response.text
    page = agent.page(shop.authorization_url(**told, **asked))
    assert "€40.00" in page.document.text
    assert "Confirm and pay" not in page.response.text
    sent = {"passkey_response": json.dumps(soft.get_assertion(options_of(page)))}
    question = agent.submit(page, page.form("/passkey"), sent)
    assert isinstance(question, Page)
    done = agent.submit(question, question.form("/consent"), button="Allow")
    assert isinstance(done, Departure)
    assert shop.finish(done).claims["authorization_details"]


def test_nor_is_she_asked_whether_she_would_like_a_passkey(house: House, alice: Person) -> None:
    seed = house.totp(alice)
    bank = house.client(confirm_operation_acr="urn:idp:acr:mfa", consent="never")
    typed_in = {"username": alice.email, "password": alice.password, "remember": "yes"}
    for order in (details(ORDER), None):
        house.clock.advance(minutes=1)
        agent = house.browser()
        page = agent.page(bank.authorization_url(authorization_details=order))
        last = agent.submit(page, page.form("/password"), typed_in)
        assert isinstance(last, Page)
        code = {"otp": pyotp.TOTP(seed).at(house.clock())}
        done = agent.submit(last, last.form("/totp"), code)
        left = isinstance(done, Departure)
        assert left is bool(order), "who only signs in is asked"
