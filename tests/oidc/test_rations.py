"""What anybody may leave with us is counted by their network; nobody is locked out by another."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.helpers.databases import Databases
from tests.helpers.relying_party import RelyingParty
from tests.oidc.registering import Counter, counter
from tests.oidc.test_registration_management import body_of
from tests.web.walking import events

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
MOST = 3
PUBLIC: dict[str, Any] = {
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", DEVICE],
}


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Counter]:
    few: dict[str, Any] = {
        "client_registration_attempts": MOST,
        "public_client_requests": MOST,
        "trusted_proxies": ["127.0.0.1"],
    }
    with databases.fresh("sqlite") as url, counter(url, **few) as made:
        yield made


@pytest.fixture(autouse=True)
def later(desk: Counter) -> None:
    """Whatever was counted before is over."""
    desk.house.clock.advance(hours=2)


def push(client: RelyingParty, address: str, **changes: object) -> httpx.Response:
    return sent(client, "/oauth/par", client.authorization_parameters(**changes), address)


def device(client: RelyingParty, address: str, **changes: str) -> httpx.Response:
    return sent(client, "/oauth/device", {"scope": "openid", **changes}, address)


def sent(client: RelyingParty, path: str, form: dict[str, Any], address: str) -> httpx.Response:
    client.http.headers["X-Forwarded-For"] = address
    return client.post(path, form)


WAYS = {"pushed requests": (push, 201, "authorization"), "devices": (device, 200, "device")}


@pytest.mark.parametrize(("ask", "done", "name"), WAYS.values(), ids=WAYS)
def test_clients_without_a_secret_by_their_network(
    desk: Counter, ask: Any, done: int, name: str
) -> None:
    one, other = (desk.house.client(**PUBLIC) for _ in range(2))
    answers = [ask(one, "203.0.113.7").status_code for _ in range(MOST)]
    assert answers == [done] * MOST
    refused = ask(one, "203.0.113.7")
    assert refused.status_code == 429
    assert (refused.headers["Retry-After"], refused.headers["Cache-Control"]) == ("900", "no-store")
    assert refused.json()["error"] == "temporarily_unavailable"
    assert events(desk.house, event=f"{name}.throttled", client_id=one.client_id)
    # It is whoever asks who has to wait, whatever client is named, and nobody elsewhere does.
    assert ask(other, "203.0.113.7").status_code == 429
    assert ask(one, "198.51.100.9").status_code == done
    desk.house.clock.advance(minutes=15)
    assert ask(one, "203.0.113.7").status_code == done


@pytest.mark.parametrize(("ask", "done", "_name"), WAYS.values(), ids=WAYS)
def test_a_refused_request_counts_as_well(desk: Counter, ask: Any, done: int, _name: str) -> None:
    client = desk.house.client(**PUBLIC)
    answers = [ask(client, "203.0.113.7", max_age="soon").status_code for _ in range(MOST)]
    assert answers == [400] * MOST
    assert ask(client, "203.0.113.7").status_code == 429


@pytest.mark.parametrize(("ask", "done", "_name"), WAYS.values(), ids=WAYS)
def test_who_authenticates_is_not_counted(desk: Counter, ask: Any, done: int, _name: str) -> None:
    client = desk.house.client(grant_types=PUBLIC["grant_types"])
    answers = [ask(client, "203.0.113.7").status_code for _ in range(MOST + 1)]
    assert answers == [done] * (MOST + 1)


def test_a_neighbourhood_has_five_times_as_many(desk: Counter) -> None:
    client = desk.house.client(**PUBLIC)
    addresses = [f"203.0.113.{number}" for number in range(1, 6) for _ in range(MOST)]
    assert {device(client, one).status_code for one in addresses} == {200}
    assert device(client, "203.0.113.99").status_code == 429
    assert device(client, "203.0.114.99").status_code == 200


def test_changes_of_one_registration(desk: Counter) -> None:
    made, others = desk.registered(), desk.registered()
    # Whoever has not its token uses up nothing of what its owner may.
    for _ in range(MOST + 1):
        assert desk.ask("PUT", made, body_of(made), token="a guess").status_code == 401
    changes = [body_of(made), body_of(made, redirect_uris=[]), body_of(made)]
    assert [desk.ask("PUT", made, one).status_code for one in changes] == [200, 400, 200]
    refused = desk.ask("PUT", made, body_of(made))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    assert refused.json()["error"] == "temporarily_unavailable"
    assert events(desk.house, event="client.registration.throttled", client_id=made["client_id"])
    assert desk.ask("GET", made).status_code == 200
    assert desk.ask("PUT", others, body_of(others)).status_code == 200
    desk.house.clock.advance(hours=1)
    assert desk.ask("PUT", made, body_of(made)).status_code == 200
