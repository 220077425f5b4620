"""Whoever is not signed in begins a sign-in by one statement: what two would make of it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import delete, func, select

from idp.models import Client, Transaction, db
from idp.services.client_registry import change
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.services.statements import counted

MFA = "urn:idp:acr:mfa"
PAYMENT = [{"type": "confirm_operation", "id": "1", "title": "Do it"}]
AT_ONCE: dict[str, dict[str, Any]] = {
    "nothing in particular": {},
    "an age": {"max_age": "60"},
    "strengths": {"acr_values": f"{MFA} phr"},
    "an essential strength": {
        "claims": json.dumps({"id_token": {"acr": {"essential": True, "value": MFA}}})
    },
    "a fresh sign-in": {"prompt": "login"},
    "a choice": {"prompt": "select_account"},
    "consent": {"prompt": "consent"},
    "an address": {"login_hint": "o'neil&<i>@example.com"},
    "a language": {"ui_locales": "de en"},
    "an operation": {"authorization_details": json.dumps(PAYMENT)},
    "a form": {"response_mode": "form_post"},
}
OTHERWISE: dict[str, dict[str, Any]] = {
    "no page": {"prompt": "none"},
    "a new account where there is none": {"prompt": "create"},
    "a signed answer": {"response_mode": "jwt"},
    "a signed request": {"request": "e30.e30."},
    "a request elsewhere": {"request_uri": "https://rp.example/request"},
    "a push that is none": {"request_uri": "urn:ietf:params:oauth:request_uri:none"},
    "another address": {"redirect_uri": "https://elsewhere.example/"},
    "no scope of ours": {"scope": ""},
    "an unknown strength": {"acr_values": "unheard-of"},
    "no such prompt": {"prompt": "bogus"},
    "somebody unheard of": {"id_token_hint": "e30.e30."},
    "nobody's client": {"client_id": "nobody"},
    "a client with NUL": {"client_id": "a\0b"},
}


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client()


@pytest.fixture(autouse=True, scope="module")
def known(town: House, shop: RelyingParty) -> None:
    """This node has read the registration before."""
    town.browser().client.get(shop.authorization_url())


@contextmanager
def nothing_known(town: House) -> Iterator[None]:
    """As on a node that has read no registration yet."""
    clients = town.services.clients
    known, clients._unconfirmed = clients._unconfirmed, {}
    yield
    clients._unconfirmed = known


OWN = re.compile(r'(?<=/login/)[\w-]{22}|(?<=session_state=)[\w.-]+|(?<=")[\w-]{43}(?=")')


def seen(response: Response) -> tuple[int, list[tuple[str, str]], str]:
    """An answer without what is its own."""
    own = {"x-request-id", "content-length", "content-security-policy"}
    headers = [
        (name, OWN.sub("OWN", re.sub("=[^;]+", "=", value, count=1) if "cookie" in name else value))
        for name, value in response.headers.items()
        if name not in own
    ]
    text = re.sub(r'nonce="[^"]+"|(?<="reference">)\w+', "", response.text)
    return response.status_code, headers, text


def rows(town: House) -> int:
    def number(_: Any) -> int:
        return db.session.scalar(select(func.count()).select_from(Transaction)) or 0

    found: int = town.do(number)
    return found


def stored(town: House) -> list[tuple[str, Any]]:
    """All of the only sign-in there is, and then there is none."""

    def taken(_: Any) -> Any:
        columns = Transaction.__table__.columns
        (row,) = db.session.execute(select(*columns)).mappings().all()
        db.session.execute(delete(Transaction))
        db.session.commit()
        return [
            (name, OWN.sub("OWN", json.dumps(value, default=str)))
            for name, value in row.items()
            if name not in ("id", "browser_hash")
        ]

    found: list[tuple[str, Any]] = town.do(taken)
    return found


def emptied(town: House) -> None:
    def empty(_: Any) -> None:
        db.session.execute(delete(Transaction))
        db.session.commit()

    town.do(empty)


@pytest.mark.parametrize("wanted", AT_ONCE.values(), ids=AT_ONCE)
def test_it_is_what_two_statements_make_of_it(
    town: House, shop: RelyingParty, wanted: dict[str, Any]
) -> None:
    emptied(town)
    url = shop.authorization_url(**wanted)
    with town.app.app_context(), counted() as statements:
        at_once = town.browser().client.get(url)
    assert len(statements) == 1
    made = stored(town)
    with nothing_known(town), town.app.app_context(), counted() as statements:
        by_itself = town.browser().client.get(url)
    assert len(statements) == 2
    assert at_once.status_code == 303
    assert seen(at_once) == seen(by_itself)
    assert made == stored(town)


def test_a_page_shows_what_an_older_version_began(town: House, shop: RelyingParty) -> None:
    """Which said of every ceremony when that was, and not only of those that make people wait."""
    agent = town.browser()
    page = agent.client.get(shop.authorization_url(), follow_redirects=True)

    def date(_: Any) -> None:
        row = db.session.scalars(
            select(Transaction).order_by(Transaction.started_at.desc())
        ).first()
        assert row is not None
        (ceremony,) = row.state["ceremonies"].values()
        assert "at" not in ceremony
        dated = {"passkey": {**ceremony, "at": town.clock().isoformat()}}
        row.state = {**row.state, "ceremonies": dated}
        db.session.commit()

    town.do(date)
    assert OWN.findall(agent.client.get(page.url).text)[:1] == OWN.findall(page.text)[:1] != []
    assert agent.client.get(page.url).status_code == 200


@pytest.mark.parametrize("wanted", OTHERWISE.values(), ids=OTHERWISE)
def test_what_is_no_plain_wish_for_a_sign_in_is_answered_as_before(
    town: House, shop: RelyingParty, wanted: dict[str, Any]
) -> None:
    url = shop.authorization_url(**wanted)
    answer = town.browser().client.get(url)
    with nothing_known(town):
        before = town.browser().client.get(url)
    assert seen(answer) == seen(before)


def registered(town: House, client_id: str, **members: Any) -> None:
    def write(_: Any) -> None:
        held = db.session.get_one(Client, client_id).registration
        change(client_id, town.context, registration={**held, **members})
        db.session.commit()

    town.do(write)


def disabled(town: House, client_id: str) -> None:
    def write(_: Any) -> None:
        change(client_id, town.context, disabled_at=town.clock())
        db.session.commit()

    town.do(write)


def deleted(town: House, client_id: str) -> None:
    town.do(lambda services: services.client_registry.delete(client_id, town.context))


KEYS = {
    "keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]
}
REFUSED: dict[str, tuple[Callable[[House, str], None], str]] = {
    "shut out": (disabled, "page"),
    "gone": (deleted, "page"),
    "at another address": (
        lambda town, one: registered(town, one, redirect_uris=["https://elsewhere.example/"]),
        "page",
    ),
    "with signed requests alone": (
        lambda town, one: registered(town, one, require_signed_request_object=True, jwks=KEYS),
        "error=invalid_request",
    ),
    "by a push alone": (
        lambda town, one: registered(town, one, require_pushed_authorization_requests=True),
        "error=invalid_request",
    ),
}


@pytest.mark.parametrize(("happens", "answer"), REFUSED.values(), ids=REFUSED)
def test_a_client_that_another_node_changed_is_what_it_is_now(
    town: House, happens: Callable[[House, str], None], answer: str
) -> None:
    shop = town.client()
    url, agent = shop.authorization_url(), town.browser()
    assert [agent.client.get(url).status_code for _ in range(2)] == [303, 303]
    happens(town, shop.client_id)
    before = rows(town)
    for _ in range(2):  # the second time it is known as it is now
        found = agent.client.get(url)
        assert rows(town) == before
        assert answer in found.headers.get("location", "page")
        assert found.status_code == (400 if answer == "page" else 303)


def test_what_it_asks_for_now_is_asked(town: House) -> None:
    shop = town.client()
    known = town.browser().page(shop.authorization_url())
    registered(town, shop.client_id, minimum_acr="phr", client_name="Bank")
    page = town.browser().page(shop.authorization_url())
    assert "Shop" in known.document.text
    assert "Bank" in page.document.text
    assert page.document.text != known.document.text.replace("Shop", "Bank")


def test_what_it_is_called_now_is_shown(town: House) -> None:
    shop = town.client()
    assert "Shop" in town.browser().page(shop.authorization_url()).document.text
    registered(town, shop.client_id, client_name="Bank")
    text = town.browser().page(shop.authorization_url()).document.text
    assert "Bank" in text
    assert "Shop" not in text


def test_where_something_may_be_fetched_the_registration_is_read_before(
    town: House, shop: RelyingParty
) -> None:
    url = shop.authorization_url(response_mode="jwt")
    with town.app.app_context(), counted() as statements:
        assert town.browser().client.get(url).status_code == 303
    assert statements[0].startswith("SELECT clients.revision")


def test_one_that_changed_right_after_is_not_taken_for_what_it_was(town: House) -> None:
    shop, clients = town.client(), town.services.clients
    town.do(lambda _: clients.get(shop.client_id))
    known = clients.known(shop.client_id)
    assert known is not None
    assert clients.confirmed(known) is town.do(lambda _: clients.get(shop.client_id))
    registered(town, shop.client_id, client_name="Bank")
    now = town.do(lambda _: clients.get(shop.client_id))
    assert clients.confirmed(known) == replace(known, confirmed=True) != now
