"""Text that nobody types: it is refused, and never a fault of ours."""

import json
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import enter, gone, housed

ODD = [
    ("a null", "a\0b@example.com"),
    ("a lone surrogate", "\ud800@example.com"),
    ("a surrogate pair the wrong way round", "\udc00\ud800@example.com"),
    ("an emoji", "🙂@example.com"),
    ("right to left", "\u202eecila@example.com"),
    ("a full-width at", "alice\uff20example.com"),
    ("line breaks", "alice@example.com\r\nBcc: bob@example.com"),
    ("a mile of it", "a" * 100_000),
    ("a mile that grows when normalised", "\ufdfa" * 10_000),
    ("a backslash", "\\"),
    ("SQL", "' OR 1=1 --"),
    ("a template", "{{ 7 * 7 }}"),
    ("only spaces", " \t "),
    ("a format", "%s%n%(x)s"),
]
TEXTS = [pytest.param(text, id=name) for name, text in ODD]


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[House]:
    """Over PostgreSQL, which is the stricter of the two about text."""
    with databases.fresh("postgresql") as url, housed(url, FakeClock()) as made:
        yield made


@pytest.fixture(scope="module")
def alice(house: House) -> Person:
    return house.person()


@pytest.fixture(scope="module")
def shop(house: House) -> RelyingParty:
    return house.client(consent="never")


def encoded(fields: dict[str, str]) -> bytes:
    """As a form, surrogates included."""
    return urlencode(fields, errors="surrogatepass").encode()


def post(agent: UserAgent, path: str, fields: dict[str, str]) -> int:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return agent.client.post(path, content=encoded(fields), headers=kind).status_code


def opened(house: House, shop: RelyingParty) -> tuple[UserAgent, Page, dict[str, str]]:
    agent = house.browser()
    page = agent.page(shop.authorization_url())
    fields = page.form("/password").fields
    return agent, page, {name: fields[name] for name in ("csrf_token", "form_token")}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["username", "password", "otp", "recovery_code", "code", "token"])
def test_in_a_field_of_the_sign_in(
    house: House, shop: RelyingParty, alice: Person, name: str, text: str
) -> None:
    house.clock.advance(minutes=16)
    agent, page, tokens = opened(house, shop)
    honest = {"username": alice.email, "password": "wrong"} if name == "password" else {}
    beside = {"password": "wrong"} if name == "username" else {}
    body = {**honest, **beside, name: text}
    assert post(agent, page.path, {**tokens, **body}) in (303, 422)
    kind = {"Content-Type": "application/json"}
    script = agent.client.post(page.path, content=json.dumps(body), headers=kind)
    assert script.status_code in (400, 401, 422)
    assert gone(enter(agent, agent.page(page.path), alice)).parameters["code"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("step", ["magic_link", "identify", "account", "consent"])
def test_in_the_other_steps(
    house: House, shop: RelyingParty, alice: Person, step: str, text: str
) -> None:
    house.clock.advance(hours=2)
    agent, page, tokens = opened(house, shop)
    for name in ("username", "account", "decision", "remember"):
        assert post(agent, f"{page.path}/{step}", {**tokens, name: text}) in (303, 422)
    assert agent.client.get(page.path).status_code == 200


@pytest.mark.parametrize("text", TEXTS)
def test_in_the_authorization_request(house: House, shop: RelyingParty, text: str) -> None:
    honest = shop.authorization_parameters()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for name in (*honest, "login_hint", "ui_locales", "id_token_hint", "extra", "client_id"):
        agent = house.browser()
        body = encoded({**honest, name: text})
        response = agent.client.post("/oauth/authorize", content=body, headers=kind)
        assert response.status_code in (303, 400), name
        if response.headers.get("Location", "").startswith("/login/"):
            assert agent.client.get(response.headers["Location"]).status_code == 200
        query = agent.client.get(f"/oauth/authorize?{body[:30_000].decode()}")
        assert query.status_code in (303, 400), name


@pytest.mark.parametrize("text", TEXTS)
def test_as_a_claimed_subject(house: House, shop: RelyingParty, text: str) -> None:
    claims = json.dumps({"id_token": {"sub": {"value": text[:2000]}}})
    agent = house.browser()
    response = agent.client.get(shop.authorization_url(claims=claims))
    assert response.status_code == 303
    if response.headers["Location"].startswith("/login/"):
        assert agent.client.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize("text", TEXTS)
def test_in_addresses(house: House, text: str) -> None:
    # Not over httpx, which cannot hand such paths to an application in this process.
    client = house.app.test_client()
    part = quote(text[:3000], safe="", errors="replace")
    for path in (
        f"/login/{part}",
        f"/login/AAAAAAAAAAAAAAAAAAAAAA/{part}",
        f"/login/link/{part}",
        f"/login/reset/{part}",
        f"/login/forgotten?sign_in={part}",
        f"/me/{part}",
        f"/me?next={part}",
        f"/{part}",
    ):
        assert client.get(path).status_code in (200, 303, 308, 404, 410), path


def test_a_null_where_an_address_names_the_sign_in(house: House, shop: RelyingParty) -> None:
    agent = house.browser()
    begun = agent.page(shop.authorization_url()).path.rpartition("/")[2]
    for sign_in in ("%00", f"{begun}%00"):
        page = agent.page(f"/login/forgotten?sign_in={sign_in}")
        assert page.status == 200
        fields = page.form("/forgotten").fields
        sent = {"csrf_token": fields["csrf_token"], "username": "nobody@example.com"}
        assert post(agent, f"/login/forgotten?sign_in={sign_in}", sent) == 200


@pytest.mark.parametrize("text", TEXTS)
def test_in_other_forms(house: House, text: str) -> None:
    agent = house.browser()
    fields = agent.page("/login/forgotten").form("/forgotten").fields
    token = {"csrf_token": fields["csrf_token"]}
    assert post(agent, "/login/forgotten", {**token, "username": text}) in (200, 422)
    assert post(agent, "/login/reset/x", {**token, "new_password": text}) == 410


@pytest.mark.parametrize("name", ["User-Agent", "X-Request-ID", "Accept-Language", "Accept"])
@pytest.mark.parametrize("value", ["\xff\xfe", "x" * 5000, "", "%00", "en;q=x,*", "\x00"])
def test_in_headers(house: House, shop: RelyingParty, name: str, value: str) -> None:
    client = house.app.test_client()
    response = client.get(shop.authorization_url(), headers={name: value})
    assert response.status_code == 303
    page = client.get(response.headers["Location"], headers={name: value})
    assert page.status_code == 200


@pytest.mark.parametrize("name", ["idp_session", "idp_browser", "idp_device", "idp_form"])
def test_in_cookies(house: House, shop: RelyingParty, alice: Person, name: str) -> None:
    as_long_as_ours = '"\\000' + "x" * 52 + '"'
    for value in ("", "x" * 4000, "%00", '"\\000"', as_long_as_ours, "\\ud800", "gAAAA", "a.b.c"):
        agent = house.browser()
        agent.cookies.set(name, value, domain="localhost.local")
        page = agent.page(shop.authorization_url())
        assert gone(enter(agent, page, alice)).parameters["code"]
