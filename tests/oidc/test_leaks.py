"""Whatever the endpoints handle: none of it stands in a log line, an audit row or a table."""

import logging
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.engine import make_url

from tests.helpers.dpop import Prover
from tests.helpers.house import made_once
from tests.helpers.logged import logged
from tests.helpers.relying_party import Tokens, asserting
from tests.helpers.sign_in import sign_in
from tests.helpers.signed_requests import jwks_of
from tests.oidc.registering import Counter, counter
from tests.web.walking import enter, gone, newcomer, press, shown

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
BOOKS = "https://books.example"


@pytest.fixture(scope="module")
def desk(module_url: str) -> Iterator[Counter]:
    with counter(module_url) as there:
        yield there


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """All that a process would write, at its most talkative."""
    talkative = logging.getLogger("httpx")  # the browser's and the applications' own
    quiet = talkative.level
    with logged() as written:
        talkative.setLevel(logging.WARNING)
        yield written
    talkative.setLevel(quiet)


def registered(desk: Counter) -> set[str]:
    """It registers itself, looks at that, and tries a token that is none."""
    initial = desk.initial_token()
    made = desk.registered(token=initial)
    assert desk.ask("GET", made).status_code == 200
    assert desk.post({}, token="w" * 43).status_code == 401
    return {initial, made["client_secret"], made["registration_access_token"], "w" * 43}


def pushed_and_refreshed(desk: Counter) -> set[str]:
    """Pushed by an assertion with a proof, redeemed, refreshed, replayed, hinted at the end."""
    app = desk.house.client(
        token_endpoint_auth_method="private_key_jwt",
        jwks=jwks_of("ES256"),
        grant_types=["authorization_code", "refresh_token"],
        consent="never",
        backchannel_logout_uri="https://shop.example.com/backchannel",
    )
    app.authentication, app.signing_key = "private_key_jwt", made_once("ES256")
    app.prover = Prover(desk.house.settings.issuer, desk.house.clock)
    alice, agent = newcomer(desk.house), desk.house.browser()
    first = app.assertion()
    asked = app.authorization_parameters(scope="openid offline_access", prompt="consent")
    pushed = app.http.post("/oauth/par", data={**asked, **asserting(first)})
    assert pushed.status_code == 201, pushed.text
    reference = str(pushed.json()["request_uri"])
    url = f"/oauth/authorize?client_id={app.client_id}&request_uri={reference}"
    callback = sign_in(agent, url, username=alice.email, password=alice.password)
    tokens = app.finish(callback)
    again = app.refresh(tokens)
    app.post("/oauth/revoke", {"token": again.access_token})
    app.http.post("/oauth/par", data={**asked, **asserting(first)})  # a replay
    agent.get(f"/oauth/logout?id_token_hint={tokens.id_token}")
    found = {first, reference.rpartition(":")[2], callback.parameters["code"], alice.password}
    return found | of(tokens) | of(again)


def of(tokens: Tokens) -> set[str]:
    return {str(tokens.raw[name]) for name in ("access_token", "refresh_token", "id_token")}


def connected(desk: Counter) -> set[str]:
    """A device is allowed; what it got is exchanged by an API that must not, and one that may."""
    telly = desk.house.client(
        grant_types=["authorization_code", DEVICE], token_endpoint_auth_method="none"
    )
    books = desk.house.client(grant_types=[EXCHANGE], token_exchange_audiences=[BOOKS])
    told = desk.http.post("/oauth/device", data={"client_id": telly.client_id, "scope": "openid"})
    codes = told.json()
    agent, alice = desk.house.browser(), newcomer(desk.house)
    page = agent.page(codes["verification_uri_complete"])
    page = shown(agent.submit(page, page.form("/device")))
    ask = shown(enter(agent, page, alice))
    press(agent, ask, ask.path, "Allow")
    poll = {"grant_type": DEVICE, "device_code": codes["device_code"]}
    got = telly.post("/oauth/token", poll).json()
    assert telly.post("/oauth/token", poll).status_code == 400  # a replay
    form = {"grant_type": EXCHANGE, "subject_token": got["access_token"], "audience": BOOKS}
    assert books.post("/oauth/token", {**form, "subject_token_type": ACCESS_TOKEN}).is_error
    secrets = {codes["device_code"], codes["user_code"], codes["user_code"].replace("-", "")}
    return secrets | {got["access_token"], got["id_token"], str(books.client_secret)}


def handed_over_at_once(desk: Counter) -> set[str]:
    """A token by the fragment, and one in a signed answer."""
    app = desk.house.client(
        response_types=["id_token token", "code"],
        grant_types=["implicit", "authorization_code"],
        consent="never",
    )
    alice, agent = newcomer(desk.house), desk.house.browser()
    url = app.authorization_url(response_type="id_token token")
    tokens = app.at_once(sign_in(agent, url, username=alice.email, password=alice.password))
    jarm = gone(agent.get(app.authorization_url(response_mode="jwt")))
    response = parse_qs(urlsplit(jarm.url).query)["response"][0]
    assert app.userinfo(tokens.access_token)["sub"] == alice.id
    return {tokens.access_token, tokens.id_token, response}


WAYS = (registered, pushed_and_refreshed, connected, handed_over_at_once)


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_nothing_of_it_is_left(
    desk: Counter, lines: StringIO, module_url: str, way: Callable[[Counter], set[str]]
) -> None:
    secrets = way(desk)
    assert all(len(secret) >= 8 for secret in secrets)
    written = lines.getvalue()
    assert "idp.access" in written  # the control: it was talkative
    assert [one for one in secrets if one in written] == []
    path = Path(str(make_url(module_url).database))
    kept = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    assert desk.house.settings.issuer.encode() in kept or b"client.registered" in kept  # and this
    assert [one for one in secrets if one.encode() in kept] == []
