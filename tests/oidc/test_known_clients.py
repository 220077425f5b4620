"""What a node remembers of a client is never what it acts on: another node may have changed it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from idp.models import Client, db
from idp.services.client_registry import change
from tests.helpers.clock import FakeClock
from tests.helpers.relying_party import RelyingParty
from tests.oidc.desk import Desk, Keys, opened, payload_of
from tests.services.people import CALLBACK, VERIFIER
from tests.services.statements import counted

Form = dict[str, str]
Act = Callable[[Desk, RelyingParty], tuple[str, Form]]


def redeem(desk: Desk, shop: RelyingParty) -> tuple[str, Form]:
    form = {"grant_type": "authorization_code", "code": desk.code(shop), "redirect_uri": CALLBACK}
    return "token_endpoint", form | {"code_verifier": VERIFIER}


def refresh(desk: Desk, shop: RelyingParty) -> tuple[str, Form]:
    token = desk.tokens(shop, scope=("openid", "offline_access")).refresh_token
    return "token_endpoint", {"grant_type": "refresh_token", "refresh_token": str(token)}


def introspect(desk: Desk, shop: RelyingParty) -> tuple[str, Form]:
    return "introspection_endpoint", {"token": desk.tokens(shop).access_token}


ACTS = {"a code": redeem, "a refresh token": refresh, "introspection": introspect}


@pytest.fixture
def node(database_url: str, clock: FakeClock, made_keys: Keys) -> Iterator[Desk]:
    yield from opened(database_url, clock, made_keys)


def sent(shop: RelyingParty, endpoint: str, form: Form) -> tuple[int, Any]:
    response = shop.post(shop.metadata[endpoint], form)
    return response.status_code, response.json()


def elsewhere(node: Desk, **columns: Any) -> None:
    """As another node changes a client: nobody here is told."""
    with node.app.app_context():
        change("shop", node.context, **columns)
        db.session.commit()


def warmed(node: Desk) -> RelyingParty:
    """A client that this node has just parsed, and knows."""
    shop = node.client("shop", grant_types=["authorization_code", "refresh_token"])
    node.tokens(shop)
    return shop


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_who_was_disabled_meanwhile_is_refused_and_nothing_is_used_up(node: Desk, act: Act) -> None:
    shop = warmed(node)
    endpoint, form = act(node, shop)
    elsewhere(node, disabled_at=node.clock())
    status, answer = sent(shop, endpoint, form)
    assert (status, answer["error"]) == (401, "invalid_client")
    elsewhere(node, disabled_at=None)
    status, answer = sent(shop, endpoint, form)
    assert (status, answer.get("active", True)) == (200, True)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_whose_secret_was_changed_meanwhile_needs_the_new_one(node: Desk, act: Act) -> None:
    shop = warmed(node)
    endpoint, form = act(node, shop)
    with node.app.app_context():
        new = node.services.client_registry.rotate_secret("shop", node.context)
    assert sent(shop, endpoint, form)[0] == 401
    assert sent(replace(shop, client_secret=new), endpoint, form)[0] == 200


def test_a_code_buys_what_is_registered_now(node: Desk) -> None:
    shop = warmed(node)
    registered = {**_registration(node), "access_token_format": "opaque"}
    endpoint, form = redeem(node, shop)
    assert payload_of(node.tokens(shop).access_token)
    elsewhere(node, registration=registered)
    status, answer = sent(shop, endpoint, form)
    assert (status, "." in answer["access_token"]) == (200, False)


def test_a_grant_type_that_was_taken_away_is_none(node: Desk) -> None:
    shop = warmed(node)
    endpoint, form = refresh(node, shop)
    elsewhere(node, registration={**_registration(node), "grant_types": ["authorization_code"]})
    status, answer = sent(shop, endpoint, form)
    assert (status, answer["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize("act", [redeem, refresh], ids=["a code", "a refresh token"])
def test_one_that_was_shut_to_everybody_is_shut_at_once_and_opened_at_once(
    node: Desk, act: Act
) -> None:
    shop = warmed(node)
    endpoint, form = act(node, shop)
    before = _registration(node)
    elsewhere(node, registration={**before, "admits": "nobody"})
    status, answer = sent(shop, endpoint, form)
    assert (status, answer["error"]) == (400, "invalid_grant")
    elsewhere(node, registration=before)
    assert sent(shop, endpoint, form)[0] == 200


def test_one_that_is_gone_is_nobody(node: Desk) -> None:
    shop, rival = warmed(node), node.client("rival")
    _, form = introspect(node, rival)
    assert sent(shop, "introspection_endpoint", form) == (200, {"active": False})
    with node.app.app_context():
        node.services.client_registry.delete("shop", node.context)
    assert sent(shop, "introspection_endpoint", form)[0] == 401


def test_what_is_known_costs_no_statement(node: Desk) -> None:
    shop = warmed(node)
    endpoint, form = introspect(node, shop)
    with node.app.app_context(), counted() as statements:
        assert sent(shop, endpoint, form)[0] == 200
    assert len(statements) == 1


def _registration(node: Desk) -> dict[str, Any]:
    with node.app.app_context():
        return dict(db.session.get_one(Client, "shop").registration)
