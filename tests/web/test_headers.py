"""What every answer carries, so that a browser holds our pages to what they are for."""

import re

import httpx
import pytest

from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import totp
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import link_in, mails
from tests.web.walking import enter, newcomer, press, shown, signed_in


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


def policy(response: httpx.Response) -> dict[str, str]:
    """The content security policy, by directive."""
    (text,) = response.headers.get_list("Content-Security-Policy")
    pairs = (part.strip().partition(" ") for part in text.split(";"))
    return {name: value for name, _, value in pairs}


def guarded(response: httpx.Response) -> dict[str, str]:
    """Assert what holds on every page; returns its policy."""
    found = policy(response)
    assert found["default-src"] == "'none'"
    assert found["frame-ancestors"] == "'none'"
    assert found["base-uri"] == "'none'"
    assert found["style-src"] == "'self'"
    assert found["connect-src"] == "'self'"
    assert re.fullmatch(r"'self' 'nonce-[A-Za-z0-9_-]{22}'", found["script-src"])
    nonce = found["script-src"].partition("nonce-")[2].rstrip("'")
    scripts = re.findall(r"<script\b([^>]*)>", response.text)
    assert scripts or "<html" not in response.text
    assert all(f'nonce="{nonce}"' in script or "json" in script for script in scripts)
    assert not re.search(r"<style|style=|\son[a-z]+=|javascript:", response.text)
    headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    return found


def walk(agent: UserAgent, shop: RelyingParty, alice: Person) -> list[Page]:
    """The pages of one sign-in, one after the other."""
    first = agent.page(shop.authorization_url())
    wrong = shown(enter(agent, first, alice, password="wrong"))
    consent = shown(enter(agent, wrong, alice))
    pages = [first, wrong, consent]
    press(agent, consent, "/consent", "Allow")
    pages.append(agent.page(first.url))
    pages.append(agent.page(shop.authorization_url(prompt="select_account")))
    return pages


def test_every_page_of_a_sign_in_lets_its_forms_end_at_the_client(
    town: House, alice: Person
) -> None:
    shop = town.client()
    for page in walk(town.browser(), shop, alice):
        assert guarded(page.response)["form-action"] == "'self' https://shop.example"


def test_the_second_step_and_the_step_up_as_well(town: House, alice: Person) -> None:
    shop = town.client(consent="never")
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    assert guarded(page.response)["form-action"] == "'self' https://shop.example"
    agent = signed_in(town, shop, alice, answers={"totp": totp(seed, town.clock)})
    town.clock.advance(minutes=5)
    page = agent.page(shop.authorization_url(prompt="login"))
    assert guarded(page.response)["form-action"] == "'self' https://shop.example"


ADDRESSES = [
    ("a port", "https://shop.example:8443/cb", "https://shop.example:8443"),
    ("a query", "https://shop.example/cb?a=b", "https://shop.example"),
    ("IPv4 loopback", "http://127.0.0.1:9000/cb", "http://127.0.0.1:9000"),
    ("IPv6 loopback", "http://[::1]:9000/cb", "http:"),
    ("a scheme of its own", "com.example.app:/cb", "com.example.app:"),
]


@pytest.mark.parametrize(
    ("address", "source"), [pytest.param(uri, source, id=name) for name, uri, source in ADDRESSES]
)
def test_how_a_clients_address_is_named(town: House, address: str, source: str) -> None:
    app = town.client(
        application_type="native", token_endpoint_auth_method="none", redirect_uris=[address]
    )
    page = town.browser().page(app.authorization_url())
    assert guarded(page.response)["form-action"] == f"'self' {source}"


def test_a_varied_loopback_port_is_the_one_that_is_let_through(town: House) -> None:
    app = town.client(
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=["http://127.0.0.1/cb"],
    )
    sent = app.authorization_url(redirect_uri="http://127.0.0.1:50123/cb")
    page = town.browser().page(sent)
    assert guarded(page.response)["form-action"] == "'self' http://127.0.0.1:50123"


def test_the_page_that_posts_an_answer(town: House, alice: Person) -> None:
    shop = town.client(consent="never")
    agent = town.browser()
    page = agent.page(shop.authorization_url(response_mode="form_post"))
    form = page.form("/password")
    values = {**form.fields, "username": alice.email, "password": alice.password}
    response = agent.client.post(form.action, data=values)
    assert guarded(response)["form-action"] == "'self' https://shop.example"


def test_a_clients_logo_may_be_shown_on_its_pages_only(town: House) -> None:
    shop = town.client(logo_uri="https://cdn.example/logo.png")
    page = town.browser().page(shop.authorization_url())
    assert guarded(page.response)["img-src"] == "'self' data: https://cdn.example"
    plain = town.browser().page("/login/")
    assert guarded(plain.response)["img-src"] == "'self' data:"


def test_our_own_pages_send_their_forms_nowhere_else(town: House, alice: Person) -> None:
    shop = town.client(consent="never")
    agent = signed_in(town, shop, alice)
    for path in ("/me", "/me/sessions", "/login/forgotten", "/nowhere", "/oauth/authorize"):
        response = agent.client.get(path)
        assert guarded(response)["form-action"] == "'self'", path


def test_a_mailed_link_opened_anywhere(town: House, alice: Person) -> None:
    shop = town.client(consent="never")
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    form = page.form("/password")
    mail = form.button("Email me a sign-in link")
    agent.submit(page, form, {"username": alice.email}, button=mail)
    link = link_in(mails(town, alice.email)[-1])
    here = agent.page(link)
    assert guarded(here.response)["form-action"] == "'self' https://shop.example"
    assert guarded(town.browser().page(link).response)["form-action"] == "'self'"


def test_redirects_that_hold_a_code_are_kept_nowhere(town: House, alice: Person) -> None:
    shop = town.client(consent="never")
    agent = signed_in(town, shop, alice)
    response = agent.client.get(shop.authorization_url())
    assert "code=" in response.headers["Location"]
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_what_may_be_kept_says_so(town: House) -> None:
    client = town.http()
    assert "max-age" in client.get("/static/app.css").headers["Cache-Control"]
    assert "max-age" in client.get("/oauth/jwks").headers["Cache-Control"]
    discovery = client.get("/.well-known/openid-configuration")
    assert "max-age" in discovery.headers["Cache-Control"]


def test_over_tls_browsers_are_told_to_stay_there(town: House, sqlite_url: str) -> None:
    secure = House(sqlite_url, town.clock, issuer="https://id.example.com")
    for path in ("/login/forgotten", "/.well-known/openid-configuration", "/nowhere"):
        assert secure.http().get(path).headers["Strict-Transport-Security"]
        assert "Strict-Transport-Security" not in town.http().get(path).headers


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"])
def test_no_header_decides_where_we_are(town: House, alice: Person, name: str) -> None:
    shop = town.client()
    evil = {name: "host=evil.example;proto=https" if name == "Forwarded" else "evil.example"}
    client = town.browser().client
    for path in (shop.authorization_url(), "/me", "/login/", "/.well-known/openid-configuration"):
        response = client.get(path, headers=evil)
        assert "evil.example" not in response.text + response.headers.get("Location", "")
    page = client.get("/login/forgotten", headers=evil)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    values = {"csrf_token": token[1], "username": alice.email}
    assert client.post("/login/forgotten", data=values, headers=evil).status_code == 200
    letter = mails(town, alice.email)[-1]
    assert link_in(letter).startswith(f"{town.settings.issuer}/login/reset/")
    assert "evil.example" not in letter["text"] + letter["html"]


MARKUP = '"><script>alert(1)</script>'


def test_whatever_a_client_or_a_person_is_called_is_only_text(town: House) -> None:
    shop = town.client(client_name=MARKUP)
    mallory = newcomer(town, name=MARKUP)
    agent = town.browser()
    url = shop.authorization_url(login_hint=MARKUP, state=MARKUP, ui_locales=MARKUP)
    first = agent.page(url)
    consent = shown(enter(agent, first, mallory))
    for page in (first, consent, agent.page("/me"), agent.page(shop.authorization_url())):
        assert "alert(1)" in page.response.text
        assert "<script>alert" not in page.response.text
        guarded(page.response)


def test_a_redirect_says_where_to_and_nothing_else(town: House, alice: Person) -> None:
    shop = town.client()
    agent = signed_in(town, shop, alice)
    answer = agent.client.get(shop.authorization_url())
    code = re.search(r"[?&]code=([\w-]+)", answer.headers["Location"])
    assert answer.status_code == 303
    assert code
    assert answer.content == b""
    assert "Content-Type" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert [name for name, value in answer.headers.items() if code[1] in value] == ["location"]
