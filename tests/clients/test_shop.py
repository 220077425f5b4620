"""The shop against a provider that can be made to say anything, and with the ledger."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.clients.conftest import Shopper, shop_opens
from tests.clients.provider import LEDGER, Provider, new_key, seconds
from tests.helpers import base64url
from tests.helpers.html import Document
from tests.helpers.plain import PLAIN
from tests.helpers.ports import free_port

MFA = "urn:idp:acr:mfa"


@pytest.fixture
def alice(shopper: Shopper) -> Shopper:
    """She is signed in."""
    page = shopper.post("/sign-in")
    assert page.headings[0] == "Good to see you, Alice"
    return shopper


def signed_in(shopper: Shopper) -> bool:
    return any(label == "Account" for label, _ in shopper.get("/").links)


def told(page: Document) -> str:
    return page.headings[0]


# --- signing in ---


def test_the_request_has_all_it_should(provider: Provider, alice: Shopper):
    (asked,) = provider.asked
    assert asked["response_type"] == "code"
    assert asked["client_id"] == "shop"
    assert asked["redirect_uri"] == f"{alice.url}/callback"
    assert asked["scope"] == "openid profile email address phone groups offline_access"
    assert asked["resource"] == LEDGER
    assert asked["code_challenge_method"] == "S256"
    for name in ("state", "nonce"):
        assert len(base64url.decode(asked[name] + "=" * (-len(asked[name]) % 4))) >= 15
    assert not asked.keys() & {"acr_values", "max_age", "authorization_details", "id_token_hint"}


def test_it_shows_what_it_was_told(provider: Provider, alice: Shopper):
    text = alice.get("/account").text
    for shown in (
        "One proof",
        "acr: urn:idp:acr:1fa",
        "a password",
        'amr: ["pwd"]',
        "2 hours ago",
        f"auth_time: {provider.signed_in['auth_time']}",
        "Alice Ambrose",
        "alice@example.com",
        '"locality": "Berlin"',
        '["staff"]',
    ):
        assert shown in text


def test_no_token_reaches_the_browser(alice: Shopper):
    assert alice.response is not None
    cookies = [
        part for cookie in alice.http.cookies.jar for part in (cookie.value or "").split(".")
    ]
    held = alice.get("/account").text + str([base64url.decode(part) for part in cookies[:1]])
    for name in ("access_token", "refresh_token", "code_verifier", "id_token"):
        assert name not in held
    (cookie,) = alice.http.cookies.jar
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"


def test_signing_in_changes_the_cookie(shopper: Shopper):
    shopper.get("/")
    planted = shopper.http.cookies["lampwright"]
    shopper.post("/sign-in")
    assert signed_in(shopper)
    with httpx.Client(cookies={"lampwright": planted}, trust_env=False, verify=PLAIN) as thief:
        assert "Account" not in thief.get(shopper.url).text


def test_pages_are_guarded(shopper: Shopper):
    for path in ("/account", "/order", "/ledger"):
        assert told(shopper.get(path)) == "Please sign in again"
        assert shopper.status == 400
    assert told(shopper.post("/step-up/fresh")) == "Please sign in again"
    assert told(shopper.post("/order/confirm")) == "Please sign in again"
    assert told(shopper.post("/ledger/transfer")) == "Please sign in again"


def test_headers(shopper: Shopper, provider: Provider):
    shopper.get("/")
    assert shopper.response is not None
    policy = shopper.response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert f"form-action 'self' {provider.issuer};" in f"{policy};"
    assert shopper.response.headers["Cache-Control"] == "no-store"


def test_a_form_on_another_site_does_nothing(provider: Provider, shopper: Shopper):
    shopper.post("/sign-in", Origin="https://evil.example")
    assert shopper.status == 403
    assert provider.asked == []


def test_signing_out(alice: Shopper):
    page = alice.post("/sign-out")
    assert "You are signed out of the shop." in page.text
    assert not signed_in(alice)


def test_signing_out_at_the_provider_too(provider: Provider, shopper: Shopper):
    provider.metadata = {"end_session_endpoint": f"{provider.issuer}/logout"}
    shopper.post("/sign-in")
    answer = shopper.http.post(f"{shopper.url}/sign-out", follow_redirects=False)
    sent = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert sent["post_logout_redirect_uri"] == f"{shopper.url}/signed-out"
    assert sent["client_id"] == "shop"
    assert sent["id_token_hint"].count(".") == 2
    assert "You are signed out." in shopper.get("/signed-out").text
    assert not signed_in(shopper)


# --- what does not add up ---

FORGED: dict[str, tuple[str, dict[str, Any], str]] = {
    "iss of another": ("callback", {"iss": "http://localhost:1"}, "That came from somewhere else"),
    "no iss": ("callback", {"iss": None}, "That came from somewhere else"),
    "another state": ("callback", {"state": "x"}, "This way in has been used"),
    "no state": ("callback", {"state": None}, "This way in has been used"),
    "another code": ("callback", {"code": "x"}, "The sign-in service did not agree"),
    "no code": ("callback", {"code": None}, "The sign-in service did not agree"),
    "token of another issuer": ("id_token", {"iss": "http://localhost:1"}, "add up"),
    "token for another": ("id_token", {"aud": "other"}, "add up"),
    "token for another, made for us": ("id_token", {"aud": "other", "azp": "shop"}, "add up"),
    "token of another sign-in": ("id_token", {"nonce": "x"}, "add up"),
    "token of no sign-in": ("id_token", {"nonce": None}, "add up"),
    "token that has expired": ("id_token", {"exp": 1}, "add up"),
    "token with another's access token": ("id_token", {"at_hash": "x"}, "add up"),
    "token about nobody": ("id_token", {"sub": None}, "add up"),
    "userinfo about another": ("userinfo", {"sub": "bob"}, "add up"),
}


@pytest.mark.parametrize(("part", "lie", "heading"), FORGED.values(), ids=FORGED)
def test_nobody_is_signed_in_by(
    provider: Provider, shopper: Shopper, part: str, lie: dict[str, Any], heading: str
):
    setattr(provider, part, lie)
    assert heading in told(shopper.post("/sign-in"))
    assert shopper.status == 400
    assert not signed_in(shopper)


def test_nobody_is_signed_in_by_another_key(provider: Provider, shopper: Shopper):
    shopper.post("/sign-in")
    shopper.post("/sign-out")
    published, provider.key = provider.key, new_key("one")
    assert published.kid == provider.key.kid
    assert "add up" in told(shopper.post("/sign-in"))


def test_nobody_is_signed_in_by_another_algorithm(provider: Provider, shop_config: dict[str, Any]):
    with shop_opens({**shop_config, "algorithm": "RS256"}) as shopper:
        assert "add up" in told(shopper.post("/sign-in"))
        assert provider.key.get("alg") == "ES256"
        assert not signed_in(shopper)


def test_an_answer_is_taken_once(provider: Provider, shopper: Shopper):
    shopper.post("/sign-in")
    assert shopper.response is not None
    (back,) = [r.url for r in shopper.response.history if r.url.path == "/callback"]
    again = f"{back.path}?{back.query.decode()}"
    page = shopper.get(again)
    assert (told(page), shopper.status) == ("You are signed in already", 400)
    assert "You are not signed in" not in page.text
    assert ("Go to your account", f"{shopper.url}/account") in page.links
    assert signed_in(shopper)
    shopper.post("/sign-out")
    page = shopper.get(again)
    assert told(page) == "This way in has been used"
    assert "You are not signed in." in page.text


def test_who_turns_back_and_was_signed_in_is_not_told_otherwise(provider: Provider, alice: Shopper):
    provider.callback = {"error": "access_denied", "code": None}
    page = alice.post("/sign-in")
    assert told(page) == "You turned back"
    assert "You are not signed in" not in page.text
    alice.post("/sign-out")
    assert "You are not signed in." in alice.post("/sign-in").text


def test_an_answer_for_another_browser_is_not_taken(provider: Provider, shopper: Shopper):
    with httpx.Client(trust_env=False, verify=PLAIN) as attacker:
        away = attacker.post(f"{shopper.url}/sign-in").headers["Location"]
        back = attacker.get(away).headers["Location"]
    page = shopper.http.get(back)
    assert "This way in has been used" in page.text
    assert not signed_in(shopper)


@pytest.mark.parametrize(
    ("error", "heading"),
    [
        ("access_denied", "You turned back"),
        ("unmet_authentication_requirements", "That proof could not be given"),
        ("server_error", "The sign-in service did not agree"),
        ("<script>", "The sign-in service did not agree"),
    ],
)
def test_a_refusal_is_told_calmly(provider: Provider, shopper: Shopper, error: str, heading: str):
    provider.refusal = {"error": error, "error_description": "Because <b>no</b>."}
    page = shopper.post("/sign-in")
    assert told(page) == heading
    assert "You are not signed in." in page.text
    assert f"{error} Because <b>no</b>." in page.text
    assert shopper.response is not None
    assert "<b>no" not in shopper.response.text
    assert "<script" not in shopper.response.text


def test_whoever_has_too_little_set_up_finds_the_way_there(provider: Provider, alice: Shopper):
    provider.refusal = {"error": "unmet_authentication_requirements"}
    links = dict(alice.post("/order/confirm").links)
    assert links["in your account at the sign-in service"] == f"{provider.issuer}/me"


def test_a_provider_that_is_not_there(shop_config: dict[str, Any]):
    nowhere = f"http://localhost:{free_port()}"
    with shop_opens({**shop_config, "issuer": nowhere}) as shopper:
        assert told(shopper.post("/sign-in")) == "The sign-in service does not answer"
        assert shopper.status == 503
        assert "Something to see by" in shopper.get("/").headings


# --- asking for more ---

KINDS: dict[str, tuple[str, str, str]] = {
    "fresh": ("max_age", "0", "You have just signed in afresh."),
    "two_factors": ("acr_values", MFA, "Confirmed with two factors."),
    "phishing_resistant": ("acr_values", "phr", "Confirmed in a way that cannot be phished."),
}


@pytest.mark.parametrize(("kind", "wish"), KINDS.items(), ids=KINDS)
def test_a_button_asks_for_it(
    provider: Provider, alice: Shopper, kind: str, wish: tuple[str, str, str]
):
    name, value, notice = wish
    page = alice.post(f"/step-up/{kind}")
    assert notice in page.text
    assert "just now" in page.text
    assert provider.asked[-1][name] == value
    hint = provider.asked[-1]["id_token_hint"].split(".")[1]
    assert b'"sub":"alice"' in base64url.decode(hint).replace(b" ", b"")


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        ("fresh", "That was too long ago"),
        ("two_factors", "That was not strong enough"),
        ("phishing_resistant", "That was not strong enough"),
    ],
)
def test_a_provider_that_does_not_listen_is_found_out(
    provider: Provider, alice: Shopper, kind: str, heading: str
):
    provider.listens = False
    assert told(alice.post(f"/step-up/{kind}")) == heading
    assert "One proof" in alice.get("/account").text


def test_another_person_cannot_answer(provider: Provider, alice: Shopper):
    provider.sub = "bob"
    assert told(alice.post("/step-up/fresh")) == "Somebody else came back"
    assert "alice@example.com" in alice.get("/account").text


def test_turning_back_changes_nothing(provider: Provider, alice: Shopper):
    provider.refusal = {"error": "access_denied"}
    page = alice.post("/step-up/phishing_resistant")
    assert told(page) == "You turned back"
    assert "Nothing has changed." in page.text
    assert signed_in(alice)


def test_there_are_no_other_kinds(alice: Shopper):
    alice.post("/step-up/everything")
    assert alice.status == 404


def test_giving_up_often_does_no_harm(provider: Provider, alice: Shopper):
    for _ in range(30):
        alice.http.post(f"{alice.url}/step-up/fresh", follow_redirects=False)
    assert len(alice.http.cookies["lampwright"]) < 2000
    assert "afresh" in alice.post("/step-up/fresh").text


# --- an order ---


def test_an_order_is_confirmed(provider: Provider, alice: Shopper):
    assert told(alice.get("/order")) == "Your basket"
    fresh = alice.get("/order").text
    page = alice.post("/order/confirm")
    assert told(page) == "Thank you"
    assert ("To pay" in page.text, "Total" in page.text) == (False, True)
    assert "To pay" in fresh
    sent = provider.asked[-1]["authorization_details"]
    assert '"type": "confirm_operation"' in sent
    assert '"amount": {"value": "129.00", "currency": "EUR"}' in sent
    assert "Confirmed just now: a key you hold, you were there." in page.text
    assert "oxWlY3Wmyrk" in page.text


def test_an_order_that_nobody_confirmed_is_not_placed(provider: Provider, alice: Shopper):
    provider.listens = False
    page = alice.post("/order/confirm")
    assert told(page) == "The order came back unconfirmed"
    assert "The order was not placed." in page.text
    assert told(alice.get("/order")) == "Your basket"


def test_an_altered_order_is_not_placed(provider: Provider, alice: Shopper):
    other = {"type": "confirm_operation", "amount": {"value": "1.00", "currency": "EUR"}}
    provider.id_token = {"authorization_details": [other]}
    assert told(alice.post("/order/confirm")) == "The order came back unconfirmed"


def test_a_provider_that_cannot_confirm_orders(provider: Provider, alice: Shopper):
    provider.refusal = {"error": "invalid_authorization_details"}
    page = alice.post("/order/confirm")
    assert "The order was not placed." in page.text
    assert "invalid_authorization_details" in page.text


# --- the ledger ---

MONEY = {"payee": "Harbour Glassworks", "amount": "12.50"}


def test_the_balance_takes_any_sign_in(provider: Provider, alice: Shopper):
    assert "250.00 €" in alice.get("/ledger").text
    assert len(provider.asked) == 1


def test_a_transfer_takes_a_better_one_and_the_shop_gets_it(provider: Provider, alice: Shopper):
    page = alice.post("/ledger/transfer", MONEY)
    assert "12.50 € are on their way to Harbour Glassworks." in page.text
    assert "237.50 €" in page.text
    assert alice.path == "/ledger"
    assert provider.asked[-1]["acr_values"] == f"phr {MFA}"
    assert provider.asked[-1]["max_age"] == "300"
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("25", "25.00"),
        (" 25.5 ", "25.50"),
        ("25,50", "25.50"),
        ("007", "7.00"),
        ("25 €", "25.00"),
        ("25,50\u202f€", "25.50"),
        ("€25", "25.00"),
        ("EUR 25.5", "25.50"),
        ("25 euros", "25.00"),
    ],
)
def test_an_amount_is_read_as_people_type_it(alice: Shopper, typed: str, sent: str):
    page = alice.post("/ledger/transfer", {**MONEY, "amount": typed})
    assert f"{sent} € are on their way" in page.text


@pytest.mark.parametrize(
    "typed", ["1,000", "1.000,00", "25 $", "€", "0", "0,00 €", "-5", "", "٢٥", "1e3"]
)
def test_what_cannot_be_read_as_one_amount_is_said_and_kept(
    provider: Provider, alice: Shopper, typed: str
):
    """Before anybody is sent to prove anything for it."""
    page = alice.post("/ledger/transfer", {"payee": "Bea", "amount": typed})
    assert (alice.status, told(page)) == (422, "Your ledger")
    assert page.title.startswith("Error: ")
    assert "Enter an amount as in 25, 25.50 or 25,50." in page.text
    (form,) = [one for one in page.forms if one.action.endswith("/ledger/transfer")]
    assert (form.fields["payee"], form.fields["amount"]) == ("Bea", typed)
    assert form.inputs["amount"]["aria-describedby"] == "wrong-amount"
    assert len(provider.asked) == 1
    assert "250.00 €" in page.text


def test_a_good_sign_in_is_not_asked_for_again(provider: Provider, alice: Shopper):
    alice.post("/ledger/transfer", MONEY)
    page = alice.post("/ledger/transfer", MONEY)
    assert "225.00 €" in page.text
    assert len(provider.asked) == 2


def test_a_ledger_that_is_never_content_is_not_asked_for_ever(provider: Provider, alice: Shopper):
    provider.access_token = {"acr": "urn:idp:acr:1fa"}
    page = alice.post("/ledger/transfer", MONEY)
    assert told(page) == "The ledger still asks for more"
    assert "A stronger sign-in is needed." in page.text
    assert "No money has moved." in page.text
    assert len(provider.asked) == 2


def test_turning_back_moves_no_money(provider: Provider, alice: Shopper):
    provider.refusal = {"error": "access_denied"}
    assert "No money has moved." in alice.post("/ledger/transfer", MONEY).text
    provider.refusal = None
    assert "250.00 €" in alice.get("/ledger").text
    alice.post("/step-up/phishing_resistant")
    assert "250.00 €" in alice.get("/ledger").text


def typed_in(page: Document) -> tuple[str, str]:
    (form,) = [one for one in page.forms if one.action.endswith("/ledger/transfer")]
    return form.fields["payee"], form.fields["amount"]


def test_more_than_there_is_is_said_before_anything_is_proved(provider: Provider, alice: Shopper):
    page = alice.post("/ledger/transfer", {"payee": "Bea", "amount": "250,01 €"})
    assert (alice.status, told(page)) == (422, "Your ledger")
    assert "That is more than you have. Enter 250.00 or less." in page.text
    assert typed_in(page) == ("Bea", "250,01 €")
    assert len(provider.asked) == 1
    page = alice.post("/ledger/transfer", {"payee": "Bea", "amount": "250 €"})
    assert "250.00 € are on their way to Bea." in page.text
    assert typed_in(page) == ("Harbour Glassworks", "12.50")


@pytest.mark.parametrize("payee", ["", " ", "B" * 101], ids=["nobody", "blank", "too long"])
def test_money_for_nobody_is_said_at_that_field(provider: Provider, alice: Shopper, payee: str):
    page = alice.post("/ledger/transfer", {"payee": payee, "amount": "1,000"})
    (form,) = [one for one in page.forms if one.action.endswith("/ledger/transfer")]
    assert [form.inputs[name]["aria-describedby"] for name in ("payee", "amount")] == [
        "wrong-payee",
        "wrong-amount",
    ]
    assert [name for name in form.inputs if "autofocus" in form.inputs[name]] == ["payee"]
    assert typed_in(page) == (payee.strip(), "1,000")
    assert len(provider.asked) == 1


def test_what_the_ledger_refuses_after_all_is_told_and_kept(
    provider: Provider, alice: Shopper, ledger: str
):
    """The money went by another way while she proved that it is she."""
    away = alice.http.post(
        f"{alice.url}/ledger/transfer",
        data={"payee": "Bea", "amount": "200 €"},
        follow_redirects=False,
    )
    assert away.headers["Location"].startswith(provider.issuer)
    sent = {"id": "x", "payee": "Cy", "amount": "100.00"}
    token = provider.issue(acr=MFA, auth_time=seconds())
    paid = alice.http.post(
        f"{ledger}/transfers", json=sent, headers={"Authorization": f"Bearer {token}"}
    )
    assert paid.status_code == 201
    page = alice._read(alice.http.get(away.headers["Location"]))
    assert (alice.path, told(page)) == ("/ledger", "Your ledger")
    assert "There is not enough on the account." in page.text
    assert "150.00 €" in page.text
    assert typed_in(page) == ("Bea", "200 €")
    again = alice.get("/ledger")
    assert "There is not enough" not in again.text
    assert typed_in(again) == ("Bea", "200 €")


def test_whoever_turns_back_finds_what_she_typed(provider: Provider, alice: Shopper):
    provider.refusal = {"error": "access_denied"}
    alice.post("/ledger/transfer", {"payee": "Bea", "amount": "25 €"})
    assert typed_in(alice.get("/ledger")) == ("Bea", "25 €")


@pytest.mark.parametrize(("comes", "payee"), [("alice", "Bea"), ("bob", "Harbour Glassworks")])
def test_only_she_finds_it_once_her_sign_in_has_run_out(
    provider: Provider, shopper: Shopper, comes: str, payee: str
):
    provider.sub, provider.access_token = "alice", {"aud": "http://localhost:9002"}
    shopper.post("/sign-in")
    page = shopper.post("/ledger/transfer", {**MONEY, "payee": "Bea"})
    assert told(page) == "Please sign in again"
    provider.sub, provider.access_token = comes, {}
    shopper.post("/sign-in")
    assert typed_in(shopper.get("/ledger")) == (payee, "12.50")


def test_a_token_that_runs_out_is_renewed(provider: Provider, shopper: Shopper):
    provider.lifetime = 30  # less than Authlib wants, so for userinfo it takes another already
    shopper.post("/sign-in")
    provider.lifetime = 600
    assert provider.fetched.count("/token") == 2
    for _ in range(2):
        assert "250.00 €" in shopper.get("/ledger").text
    assert provider.fetched.count("/token") == 3
    assert len(provider.asked) == 1


def test_a_token_that_cannot_be_renewed(provider: Provider, shopper: Shopper):
    provider.lifetime = 30
    shopper.post("/sign-in")
    provider.renewable.clear()
    assert told(shopper.get("/ledger")) == "Please sign in again"
    assert not signed_in(shopper)


def test_a_token_the_ledger_does_not_want(provider: Provider, shopper: Shopper):
    provider.access_token = {"aud": "http://localhost:9002"}
    shopper.post("/sign-in")
    assert told(shopper.get("/ledger")) == "Please sign in again"
    assert not signed_in(shopper)
