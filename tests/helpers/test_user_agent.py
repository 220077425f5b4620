"""The browser without JavaScript and the relying party, on a stand-in provider."""

from collections.abc import Iterator
from typing import Any

import httpx
import pyotp
import pytest
from joserfc.errors import JoseError

from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.clock import FakeClock
from tests.helpers.relying_party import AuthorizationFailed, RelyingParty, TokenRefused
from tests.helpers.sign_in import Answer, Stuck, passkey, sign_in, totp, typed, walk
from tests.helpers.stub_provider import PASSWORD, Stub
from tests.helpers.user_agent import Departure, Page, UserAgent

ISSUER = "http://localhost:8000"
CALLBACK = "https://shop.test/callback"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def stub() -> Stub:
    return Stub(ISSUER)


@pytest.fixture
def transport(stub: Stub) -> httpx.WSGITransport:
    return httpx.WSGITransport(app=stub.app())


@pytest.fixture
def agent(transport: httpx.WSGITransport) -> Iterator[UserAgent]:
    with UserAgent(ISSUER, transport=transport) as agent:
        yield agent


@pytest.fixture
def shop(transport: httpx.WSGITransport, clock: FakeClock) -> RelyingParty:
    http = httpx.Client(transport=transport)
    return RelyingParty(ISSUER, "shop", CALLBACK, "s:e cret", http=http, clock=clock)


def callback(agent: UserAgent, shop: RelyingParty, **changes: object) -> Departure:
    return sign_in(
        agent, shop.authorization_url(**changes), username="ana@example.org", password=PASSWORD
    )


def test_a_sign_in_is_walked_to_its_end(agent: UserAgent, shop: RelyingParty, stub: Stub) -> None:
    tokens = shop.finish(callback(agent, shop, acr_values=["phr", "2"], max_age=0))
    assert tokens.claims["sub"] == "alice"
    assert shop.userinfo(tokens.access_token) == {"sub": "alice"}
    assert stub.asked["acr_values"] == "phr 2"
    assert stub.asked["max_age"] == "0"
    signed_in, consented, redeemed = stub.posted
    assert signed_in == {
        "step": "password",
        "form_token": "t0ken",
        "username": "ana@example.org",
        "password": PASSWORD,
        "passkey_response": "",
    }
    assert consented == {"step": "consent", "decision": "allow"}
    assert redeemed["code"] == "c0de"


WAYS: dict[str, tuple[str, Answer, str, str]] = {
    "a button with its own address": (
        "magic_link",
        typed(username="ana@example.org"),
        "send",
        "link",
    ),
    "a link to another way": (
        "totp",
        totp(SEED, FakeClock()),
        "otp",
        pyotp.TOTP(SEED).at(FakeClock()()),
    ),
}


@pytest.mark.parametrize(("name", "answer", "field", "value"), WAYS.values(), ids=WAYS)
def test_other_ways_are_found(
    agent: UserAgent, stub: Stub, name: str, answer: Answer, field: str, value: str
) -> None:
    sign_in(agent, f"/authorize?redirect_uri={CALLBACK}", answers={name: answer})
    assert stub.posted[0]["step"] == name
    assert stub.posted[0][field] == value


def test_a_passkey_answers_the_options_on_the_page(agent: UserAgent, stub: Stub) -> None:
    authenticator = SoftAuthenticator(ISSUER)
    user = {"id": "AQ", "name": "ana"}
    algorithms = [{"type": "public-key", "alg": -8}, {"type": "public-key", "alg": -7}]
    options = {"rp": {"id": "idp.test"}, "user": user, "challenge": "AAAA"}
    made = authenticator.make_credential({**options, "pubKeyCredParams": algorithms})
    sign_in(
        agent,
        f"/authorize?redirect_uri={CALLBACK}",
        answers={"passkey": passkey(authenticator)},
    )
    assert stub.posted[0]["step"] == "passkey"
    assert made["id"] in stub.posted[0]["passkey_response"]


def test_a_refused_password_ends_the_walk_at_the_page(agent: UserAgent, shop: RelyingParty) -> None:
    with pytest.raises(Stuck, match=r"Sign in to Shop.*answered so far \['password'\]") as stuck:
        sign_in(agent, shop.authorization_url(), username="ana@example.org", password="wrong")
    assert stuck.value.page.path == "/login/t1/password"


def test_a_walk_may_start_at_a_page_in_hand(agent: UserAgent) -> None:
    page = agent.page(f"/authorize?redirect_uri={CALLBACK}")
    answers = {"password": typed(username="ana", password=PASSWORD)}
    assert walk(agent, page, answers).parameters["code"] == "c0de"


def test_form_post_arrives_as_a_departure_too(
    agent: UserAgent, shop: RelyingParty, stub: Stub
) -> None:
    stub.form_post = True
    departure = callback(agent, shop)
    assert departure.url == CALLBACK
    assert shop.finish(departure).claims["sub"] == "alice"


def test_forms_are_submitted_strictly(agent: UserAgent) -> None:
    page = agent.page(f"/authorize?redirect_uri={CALLBACK}")
    form = page.form("/password")
    with pytest.raises(LookupError, match="no field"):
        agent.submit(page, form, {"user": "ana"})
    with pytest.raises(LookupError, match="no button 'Log in'"):
        agent.submit(page, form, button="Log in")
    with pytest.raises(LookupError, match="no form to /nowhere"):
        page.form("/nowhere")
    consent = agent.submit(page, form, {"password": PASSWORD}, button="Sign in")
    assert isinstance(consent, Page)
    assert consent.document.title == "Consent"


def test_cookies_are_kept_although_secure_and_without_tls(agent: UserAgent) -> None:
    agent.get(f"/authorize?redirect_uri={CALLBACK}")
    assert [cookie.name for cookie in agent.cookies.jar] == ["__Host-session"]
    sent = {}
    for url in (ISSUER, "http://localhost:9000/", "http://127.0.0.1/", "http://idp.test/"):
        request = httpx.Request("GET", url)
        agent.cookies.set_cookie_header(request)
        sent[url] = request.headers.get("Cookie")
    # Cookies do not know ports.
    assert [url for url, cookie in sent.items() if cookie] == [ISSUER, "http://localhost:9000/"]


CLAIM_LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.test"},
    "another audience": {"aud": "bank"},
    "a second audience": {"aud": ["shop", "bank"]},
    "another authorized party": {"azp": "bank"},
    "expired": {"exp": 1_000_000_000},
    "issued in the future": {"iat": 3_000_000_000},
    "no expiry": {"exp": None},
    "no subject": {"sub": None},
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "another access token's hash": {"at_hash": "x"},
}


@pytest.mark.parametrize("claims", CLAIM_LIES.values(), ids=CLAIM_LIES)
def test_a_bad_id_token_is_refused(
    agent: UserAgent, shop: RelyingParty, stub: Stub, claims: dict[str, Any]
) -> None:
    stub.claims = claims
    with pytest.raises((JoseError, AssertionError)):
        shop.finish(callback(agent, shop))
    stub.claims = {}
    assert shop.finish(callback(agent, shop)).claims["sub"] == "alice"


CALLBACK_LIES: dict[str, dict[str, Any]] = {
    "another state": {"state": "x"},
    "no state": {"state": None},
    "another issuer": {"iss": "https://evil.test"},
    "no issuer": {"iss": None},
}


@pytest.mark.parametrize("parameters", CALLBACK_LIES.values(), ids=CALLBACK_LIES)
def test_a_bad_authorization_response_is_refused(
    agent: UserAgent, shop: RelyingParty, stub: Stub, parameters: dict[str, Any]
) -> None:
    stub.callback = parameters
    with pytest.raises(AssertionError):
        shop.finish(callback(agent, shop))
    assert not any(posted["step"] == "token" for posted in stub.posted)


def test_a_state_is_good_once(agent: UserAgent, shop: RelyingParty) -> None:
    departure = callback(agent, shop)
    shop.finish(departure)
    with pytest.raises(AssertionError, match="never sent"):
        shop.finish(departure)


def test_errors_are_told_apart(agent: UserAgent, shop: RelyingParty, stub: Stub) -> None:
    stub.callback = {"error": "access_denied", "code": None}
    with pytest.raises(AuthorizationFailed) as failed:
        shop.finish(callback(agent, shop))
    assert failed.value.error == "access_denied"
    stub.callback = {}
    shop.client_secret = "wrong"
    with pytest.raises(TokenRefused) as refused:
        shop.finish(callback(agent, shop))
    assert refused.value.error == "invalid_client"


def test_another_algorithm_than_the_agreed_one_is_refused(
    agent: UserAgent, shop: RelyingParty
) -> None:
    shop.algorithms = ("RS256",)
    with pytest.raises(JoseError):
        shop.finish(callback(agent, shop))


def test_a_new_signing_key_is_fetched(agent: UserAgent, shop: RelyingParty, stub: Stub) -> None:
    shop.finish(callback(agent, shop))
    stub.rotate("two")
    assert shop.finish(callback(agent, shop)).claims["sub"] == "alice"


def test_refreshing_must_not_change_who_and_when(
    agent: UserAgent, shop: RelyingParty, stub: Stub
) -> None:
    tokens = shop.finish(callback(agent, shop))
    again = shop.refresh(tokens)
    assert again.access_token != tokens.access_token
    stub.claims = {"auth_time": 1}
    with pytest.raises(AssertionError, match="auth_time changed"):
        shop.refresh(again)


def test_a_parameter_may_be_left_out(shop: RelyingParty) -> None:
    sent = shop.authorization_parameters(
        nonce=None, code_challenge=None, claims={"id_token": {"acr": {"essential": True}}}
    )
    assert "nonce" not in sent
    assert "code_challenge" not in sent
    assert sent["claims"] == '{"id_token": {"acr": {"essential": true}}}'
    assert shop.pending[sent["state"]].verifier is None
