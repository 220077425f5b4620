"""What is looked up beside a password, because it will be asked for: it is what is true by then."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket

import pytest
from sqlalchemy import event

from idp.models import db
from idp.web.services import Services
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.little_server import little_server, saying
from tests.helpers.signing import jwks, key_of, public
from tests.helpers.user_agent import Departure, Page
from tests.web.test_seen_at_once import register, whose_keys_are_fetched, withdraw
from tests.web.walking import enter, newcomer, signed_in


@pytest.fixture(scope="module")
def databases_url(databases: Databases) -> Iterator[str]:
    """SQLite waits for nobody, and looks up nothing ahead."""
    with databases.fresh("postgresql") as url:
        yield url


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.mark.parametrize("withdrawn", [True, False])
def test_consent_that_is_withdrawn_while_a_password_is_judged_is_none(
    town: House, alice: Person, withdrawn: bool
) -> None:
    """It is looked up together with what she holds by then."""
    shop = town.client()
    signed_in(town, shop, alice)
    agent = town.browser()
    page = agent.page(shop.authorization_url())

    def happens(services: Services) -> None:
        if withdrawn:
            withdraw(services, town.context, alice, shop.client_id)

    with judged(town, lambda: town.do(happens)):
        place = enter(agent, page, alice)
    assert isinstance(place, Page if withdrawn else Departure)


@contextmanager
def judged(town: House, then: Callable[[], object]) -> Iterator[None]:
    """Within, ``then`` happens as soon as the next password was judged, and is about to be used."""
    left = [then]

    def begins(_: object) -> None:
        if left:
            left.pop()()

    with town.app.app_context():
        engine = db.engine
    event.listen(engine, "begin", begins, insert=True)
    try:
        yield
    finally:
        event.remove(engine, "begin", begins)
    assert not left


@pytest.mark.parametrize("withdrawn", [True, False])
def test_consent_that_is_withdrawn_while_keys_are_fetched_after_a_password_is_none(
    town: House, alice: Person, withdrawn: bool
) -> None:
    keys = saying(json.dumps(jwks(public(key_of("ES256"), use="enc"))).encode())
    with little_server() as server:
        shop = whose_keys_are_fetched(town, server.url("/jwks"))
        signed_in(town, shop, alice)
        agent = town.browser()
        page = agent.page(shop.authorization_url(response_type="code id_token"))
        register(town, shop, {"id_token_encrypted_response_alg": "ECDH-ES"})

        def answer(connection: socket) -> None:
            if withdrawn:
                town.do(lambda services: withdraw(services, town.context, alice, shop.client_id))
            keys(connection)

        server.answer = answer
        place = enter(agent, page, alice)
        assert len(server.requests) == 1
    assert isinstance(place, Page if withdrawn else Departure)
