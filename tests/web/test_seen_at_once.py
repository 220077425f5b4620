"""A silent sign-in looks once, at the session and the client together: at what is true by then."""

import json
from collections.abc import Callable
from dataclasses import replace
from socket import socket
from typing import Any

import pytest

from idp.models import Client, db
from idp.services import sessions
from idp.services.client_registry import change
from idp.web.services import Services
from tests.helpers.house import House, Person
from tests.helpers.little_server import little_server, saying
from tests.helpers.relying_party import RelyingParty
from tests.helpers.signing import jwks, key_of, public
from tests.services.statements import counted
from tests.web.test_pushed_requests import pushed
from tests.web.walking import newcomer, sessions_of, signed_in, silently, user_of

SCOPE = "openid email"
Change = Callable[[Services, Any, Person, str], None]


def withdraw(services: Services, context: Any, person: Person, client_id: str) -> None:
    services.consents.revoke(person.id, client_id, context=context)


def allow_less(services: Services, context: Any, person: Person, client_id: str) -> None:
    withdraw(services, context, person, client_id)
    services.consents.give(person.id, client_id, ("openid",), context=context)
    db.session.commit()


def end_sessions(services: Services, context: Any, person: Person, _: str) -> None:
    sessions.end_all(person.id, context=context)
    db.session.commit()


def shut_out(services: Services, context: Any, person: Person, _: str) -> None:
    services.accounts.disable(user_of(services, person), context)


def ask_for_more(services: Services, context: Any, _: Person, client_id: str) -> None:
    registered = db.session.get_one(Client, client_id).registration
    change(client_id, context, registration={**registered, "minimum_acr": "phr"})
    db.session.commit()


CHANGES = {
    "consent is withdrawn": (withdraw, "consent_required"),
    "less is allowed": (allow_less, "consent_required"),
    "the session is over": (end_sessions, "login_required"),
    "she is shut out": (shut_out, "login_required"),
    "the client asks for more": (ask_for_more, "interaction_required"),
}


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.mark.parametrize(("happens", "error"), CHANGES.values(), ids=CHANGES)
def test_what_changed_since_the_last_counts(
    town: House, alice: Person, happens: Change, error: str
) -> None:
    shop = town.client(scope=SCOPE)
    agent = signed_in(town, shop, alice, scope=SCOPE)
    assert [silently(agent, shop, scope=SCOPE) for _ in range(2)] == ["", ""]
    town.do(lambda services: happens(services, town.context, alice, shop.client_id))
    assert silently(agent, shop, scope=SCOPE) == error


def test_a_client_that_was_disabled_since_is_sent_nobody(town: House, alice: Person) -> None:
    shop = town.client()
    agent = signed_in(town, shop, alice)
    assert silently(agent, shop) == ""

    def disable(disabled_at: Any) -> None:
        change(shop.client_id, town.context, disabled_at=disabled_at)
        db.session.commit()

    town.do(lambda _: disable(town.clock()))
    assert agent.client.get(shop.authorization_url(prompt="none")).status_code == 400
    town.do(lambda _: disable(None))
    assert silently(agent, shop) == ""


@pytest.mark.parametrize("name", ["nobody", "no\0body", "n\u00f6body", "x" * 300, ""])
def test_a_client_that_there_is_not_is_none_to_whoever_is_signed_in(
    town: House, alice: Person, name: str
) -> None:
    agent = signed_in(town, town.client(), alice)
    url = replace(town.client(), client_id=name).authorization_url()
    assert agent.client.get(url).status_code == 400
    assert len(sessions_of(town, alice)) == 1


def test_what_one_allowed_says_nothing_of_another(town: House, alice: Person) -> None:
    shop, rival = town.client(), town.client()
    agent, other = signed_in(town, shop, alice), signed_in(town, rival, newcomer(town))
    assert (silently(agent, shop), silently(agent, rival)) == ("", "consent_required")
    assert (silently(other, rival), silently(other, shop)) == ("", "consent_required")


@pytest.mark.parametrize("by", ["address", "push"])
def test_one_look_is_all(town: House, alice: Person, by: str) -> None:
    shop = town.client()
    agent = signed_in(town, shop, alice)
    assert silently(agent, shop) == ""
    url = _url(shop, by)
    with town.app.app_context(), counted() as statements:
        assert "code=" in agent.client.get(url).headers["Location"]
    read = [one for one in statements if one.startswith("SELECT")]
    # What was resolved may have taken a while to fetch: then consent is looked at anew.
    assert len(read) == (1 if by == "address" else 3), read


def whose_keys_are_fetched(town: House, address: str) -> RelyingParty:
    """An application that may be answered by an ID token, and be sent it encrypted."""
    return town.client(
        response_types=["code", "code id_token"],
        grant_types=["authorization_code", "implicit"],
        jwks_uri=address,
    )


@pytest.mark.parametrize("withdrawn", [True, False])
def test_consent_that_is_withdrawn_while_keys_are_fetched_is_none(
    town: House, alice: Person, withdrawn: bool
) -> None:
    """Whoever's keys they are may take his time, and was looked up before."""
    keys = saying(json.dumps(jwks(public(key_of("ES256"), use="enc"))).encode())
    with little_server() as server:
        shop = whose_keys_are_fetched(town, server.url("/jwks"))
        agent = signed_in(town, shop, alice)
        register(town, shop, {"id_token_encrypted_response_alg": "ECDH-ES"})

        def answer(connection: socket) -> None:
            if withdrawn:
                town.do(lambda services: withdraw(services, town.context, alice, shop.client_id))
            keys(connection)

        server.answer = answer
        error = silently(agent, shop, response_type="code id_token")
        assert len(server.requests) == 1
    assert error == ("consent_required" if withdrawn else "")


def register(town: House, client: RelyingParty, members: dict[str, Any]) -> None:
    def add() -> None:
        registered = db.session.get_one(Client, client.client_id).registration
        change(client.client_id, town.context, registration={**registered, **members})
        db.session.commit()

    town.do(lambda _: add())


def _url(shop: RelyingParty, by: str) -> str:
    if by == "address":
        return shop.authorization_url(prompt="none")
    return pushed(shop, prompt="none")
