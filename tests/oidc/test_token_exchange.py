"""Token exchange (RFC 8693): delegation that says who acts, and never more than was there."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from idp.models import Client, Grant, db
from idp.services import client_listing
from idp.services.consents import Consents
from idp.services.grants import end_all
from tests.helpers.clock import FakeClock
from tests.helpers.dpop import Prover
from tests.helpers.relying_party import RelyingParty
from tests.oidc.desk import Desk, Keys, opened, payload_of

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
LEDGER, BOOKS, VAULT = "https://ledger.example", "https://books.example", "https://vault.example"
SCOPE = ("openid", "orders:read", "orders:write", "offline_access")
ALL = "openid offline_access orders:read orders:write"
API: dict[str, Any] = {
    "grant_types": [EXCHANGE, "client_credentials"],
    "redirect_uris": [],
    "scope": ALL,
}


@pytest.fixture(scope="module")
def desk(module_url: str, made_keys: Keys) -> Iterator[Desk]:
    yield from opened(module_url, FakeClock(), made_keys)


@pytest.fixture(scope="module")
def shop(desk: Desk) -> RelyingParty:
    return desk.client("shop", scope=ALL)


@pytest.fixture(scope="module")
def ledger(desk: Desk) -> RelyingParty:
    """The API that the shop's tokens are for; it goes on to the books."""
    return desk.client(LEDGER, **API, token_exchange_audiences=[BOOKS, VAULT])


@pytest.fixture(scope="module")
def books(desk: Desk) -> RelyingParty:
    return desk.client(BOOKS, **API, token_exchange_audiences=[VAULT, BOOKS])


def hers(desk: Desk, shop: RelyingParty) -> str:
    """An access token of Ann's, for the ledger."""
    return desk.tokens(shop, scope=SCOPE, resource=(LEDGER,)).access_token


def exchanged(party: RelyingParty, token: str, **changes: Any) -> httpx.Response:
    """An honest exchange, changed; None removes."""
    honest = {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "audience": BOOKS,
    }
    form = {name: value for name, value in {**honest, **changes}.items() if value is not None}
    return party.post("/oauth/token", form)


def bought(party: RelyingParty, token: str, **changes: Any) -> str:
    response = exchanged(party, token, **changes)
    assert response.status_code == 200, response.text
    return str(response.json()["access_token"])


def about(party: RelyingParty, token: str) -> dict[str, Any]:
    found: dict[str, Any] = party.post("/oauth/introspect", {"token": token}).json()
    return found


def test_the_new_token_is_for_another_and_says_who_acts(
    desk: Desk, shop: RelyingParty, ledger: RelyingParty
):
    token = hers(desk, shop)
    desk.clock.advance(minutes=4)
    body = exchanged(ledger, token).json()
    assert body.keys() == {
        *("access_token", "token_type", "expires_in", "scope", "issued_token_type"),
    }
    assert body["issued_token_type"] == ACCESS_TOKEN
    before, after = payload_of(token), payload_of(body["access_token"])
    assert (after["sub"], after["aud"], after["client_id"]) == ("ann", BOOKS, LEDGER)
    assert after["act"] == {"sub": LEDGER}
    assert after["scope"] == body["scope"] == "orders:read orders:write"
    # Exchanged is not proved again: what was, and when, is what it was. It ends no later, either.
    for name in ("acr", "amr", "auth_time", "exp"):
        assert after[name] == before[name], name
    assert body["expires_in"] == 360


def test_who_acted_before_stays_within(
    desk: Desk, shop: RelyingParty, ledger: RelyingParty, books: RelyingParty
):
    first = bought(ledger, hers(desk, shop))
    second = bought(books, first, audience=VAULT)
    assert payload_of(second)["act"] == {"sub": BOOKS, "act": {"sub": LEDGER}}
    assert about(books, second)["act"] == {"sub": BOOKS, "act": {"sub": LEDGER}}


def test_not_without_end(desk: Desk, shop: RelyingParty, ledger: RelyingParty, books: RelyingParty):
    token = bought(ledger, hers(desk, shop))
    for _ in range(3):
        token = bought(books, token, audience=BOOKS)
    refused = exchanged(books, token, audience=BOOKS)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_several_audiences_by_either_name(desk: Desk, shop: RelyingParty, ledger: RelyingParty):
    token = bought(ledger, hers(desk, shop), audience=[BOOKS], resource=[VAULT])
    assert payload_of(token)["aud"] == [BOOKS, VAULT]


def test_the_scope_narrows(desk: Desk, shop: RelyingParty, ledger: RelyingParty):
    token = bought(ledger, hers(desk, shop), scope="orders:read")
    assert payload_of(token)["scope"] == "orders:read"


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_in_either_format(desk: Desk, access_token_format: str):
    form = {"access_token_format": access_token_format}
    name = f"https://{desk.new_name()}.example"
    app = desk.client(desk.new_name(), scope=ALL, **form)
    api = desk.client(name, **API, **form, token_exchange_audiences=[BOOKS])
    token = desk.tokens(app, scope=SCOPE, resource=(name,)).access_token
    found = about(api, bought(api, token))
    assert (found["sub"], found["act"], found["aud"]) == ("ann", {"sub": name}, BOOKS)
    assert found["client_id"] == name


def test_the_application_itself_may_exchange_what_it_was_issued(desk: Desk):
    app = desk.client(
        desk.new_name(),
        scope=ALL,
        grant_types=["authorization_code", EXCHANGE],
        token_exchange_audiences=[BOOKS],
    )
    token = desk.tokens(app, scope=SCOPE).access_token
    assert payload_of(bought(app, token))["act"] == {"sub": app.client_id}


def test_a_bound_token_takes_its_key_along(desk: Desk):
    """Of whoever it was issued to; an API that was shown the key cannot show it again."""
    prover, other = (Prover(desk.settings.issuer, desk.clock) for _ in range(2))
    members = {"grant_types": ["authorization_code", EXCHANGE], "token_exchange_audiences": [BOOKS]}
    app = desk.client(desk.new_name(), scope=ALL, **members)
    name = f"https://{desk.new_name()}.example"
    api = desk.client(name, **API, token_exchange_audiences=[BOOKS])
    app.prover = prover
    token = desk.tokens(app, scope=SCOPE, resource=(name,)).access_token
    assert payload_of(bought(app, token))["cnf"] == {"jkt": prover.jkt}
    for holder in (None, other):
        app.prover = holder
        refused = exchanged(app, token)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert payload_of(bought(api, token))["act"] == {"sub": name}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no subject token": ({"subject_token": None}, "invalid_request"),
    "no type of it": ({"subject_token_type": None}, "invalid_request"),
    "an ID token": (
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        "invalid_request",
    ),
    "a token that nobody knows": ({"subject_token": "x" * 43}, "invalid_request"),
    "a JWT that nobody signed": ({"subject_token": "e30.e30.e30"}, "invalid_request"),
    "for a refresh token": (
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        "invalid_request",
    ),
    "for an ID token": (
        {"requested_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        "invalid_request",
    ),
    "for nobody": ({"audience": None}, "invalid_target"),
    "for somebody else": ({"audience": "https://bank.example"}, "invalid_target"),
    "for one that is allowed and one that is not": (
        {"audience": [BOOKS, "https://bank.example"]},
        "invalid_target",
    ),
    "for ourselves": ({"audience": "https://id.example.com"}, "invalid_target"),
    "for a resource that is no address": (
        {"audience": None, "resource": "books"},
        "invalid_target",
    ),
    "for more than there is": ({"scope": "orders:read orders:burn"}, "invalid_scope"),
    "for userinfo": ({"scope": "openid"}, "invalid_scope"),
    "to stay": ({"scope": "offline_access"}, "invalid_scope"),
    "an actor token without its type": ({"actor_token": "x"}, "invalid_request"),
    "the type of none": ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
    "an actor token that nobody knows": (
        {"actor_token": "x" * 43, "actor_token_type": ACCESS_TOKEN},
        "invalid_request",
    ),
}


@pytest.mark.parametrize(("changes", "error"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(
    desk: Desk, shop: RelyingParty, ledger: RelyingParty, changes: dict[str, Any], error: str
):
    token = hers(desk, shop)
    response = exchanged(ledger, token, **changes)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert bought(ledger, token)


def test_whose_business_it_is_not(desk: Desk, shop: RelyingParty, books: RelyingParty):
    response = exchanged(books, hers(desk, shop), audience=VAULT)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    refused = desk.events("token.exchange.refused")[-1]
    assert (refused.client_id, refused.user_id) == (BOOKS, "ann")
    assert refused.data["description"] == response.json()["error_description"]


def test_without_a_policy_there_is_nothing_to_be_had(desk: Desk, shop: RelyingParty):
    name = f"https://{desk.new_name()}.example"
    api = desk.client(name, **API)
    token = desk.tokens(shop, scope=SCOPE, resource=(name,)).access_token
    assert exchanged(api, token).json()["error"] == "invalid_target"


def test_the_caller_gets_no_scope_it_is_not_registered_for(desk: Desk, shop: RelyingParty):
    name = f"https://{desk.new_name()}.example"
    members = {**API, "scope": "orders:read"}
    api = desk.client(name, **members, token_exchange_audiences=[BOOKS])
    token = desk.tokens(shop, scope=SCOPE, resource=(name,)).access_token
    assert payload_of(bought(api, token))["scope"] == "orders:read"
    assert exchanged(api, token, scope="orders:write").json()["error"] == "invalid_scope"


def test_a_client_that_did_not_register_it(desk: Desk, shop: RelyingParty):
    token = desk.tokens(shop, scope=SCOPE).access_token
    assert exchanged(shop, token).json()["error"] == "unauthorized_client"


def test_an_application_that_lets_nobody_in_goes_on_for_nobody(desk: Desk):
    shut = desk.client(VAULT, **API, token_exchange_audiences=[BOOKS], admits="nobody")
    token = desk.tokens(desk.client("till", scope=ALL), scope=SCOPE, resource=(VAULT,)).access_token
    refused = exchanged(shut, token)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    with desk.app.app_context():
        members = client_listing.shown(VAULT).metadata.to_json()
        del members["admits"]
        desk.services.client_registry.update(VAULT, members, desk.context)
    assert bought(shut, token)


def test_an_actor_token_has_to_be_the_callers_own(
    desk: Desk, shop: RelyingParty, ledger: RelyingParty, books: RelyingParty
):
    def own(party: RelyingParty) -> dict[str, str]:
        response = party.token_request(grant_type="client_credentials").json()
        return {"actor_token": response["access_token"], "actor_token_type": ACCESS_TOKEN}

    token = hers(desk, shop)
    assert exchanged(ledger, token, **own(books)).json()["error"] == "invalid_request"
    person = {"actor_token": token, "actor_token_type": ACCESS_TOKEN}
    assert exchanged(ledger, token, **person).json()["error"] == "invalid_request"
    assert payload_of(bought(ledger, token, **own(ledger)))["act"] == {"sub": LEDGER}


def test_nobody_acts_for_a_client_that_acts_for_itself(desk: Desk, ledger: RelyingParty):
    own = ledger.token_request(grant_type="client_credentials").json()["access_token"]
    assert exchanged(ledger, own).json()["error"] == "invalid_request"


def test_it_opens_neither_userinfo_nor_our_own_api(
    desk: Desk, shop: RelyingParty, ledger: RelyingParty
):
    bearer = {"Authorization": f"Bearer {bought(ledger, hers(desk, shop))}"}
    assert desk.http.get("/oauth/userinfo", headers=bearer).status_code == 401
    assert desk.http.get("/api/v1/me/sessions", headers=bearer).status_code == 401


def _end_the_sign_in(desk: Desk) -> None:
    end_all(user_id="ann", session_id="ann", context=desk.context)


def _disconnect_the_shop(desk: Desk) -> None:
    Consents().revoke("ann", "shop", context=desk.context)


def _disable_the_shop(desk: Desk) -> None:
    db.session.get_one(Client, "shop").disabled_at = desk.clock()


def _disable_who_stands_between(desk: Desk) -> None:
    db.session.get_one(Client, LEDGER).disabled_at = desk.clock()


ENDINGS = (_end_the_sign_in, _disconnect_the_shop, _disable_the_shop, _disable_who_stands_between)


@pytest.mark.parametrize("end", ENDINGS, ids=lambda end: end.__name__.replace("_", " ").strip())
def test_it_ends_with_every_grant_that_it_came_from(
    desk: Desk, shop: RelyingParty, ledger: RelyingParty, books: RelyingParty, end: Any
):
    first = bought(ledger, hers(desk, shop))
    second = bought(books, first, audience=VAULT)
    assert about(books, second)["active"] is True
    with desk.rows():
        end(desk)
    assert about(books, second) == {"active": False}
    assert exchanged(books, first, audience=VAULT).status_code == 400
    with desk.rows():
        for name in ("shop", LEDGER):
            db.session.get_one(Client, name).disabled_at = None


def test_it_ends_with_the_row_of_the_grant_that_it_came_from(
    desk: Desk, shop: RelyingParty, ledger: RelyingParty
):
    token = bought(ledger, hers(desk, shop))
    with desk.rows():
        grant = db.session.get_one(Grant, payload_of(token)["jti"].partition(".")[0])
        db.session.delete(db.session.get_one(Grant, grant.request["parent"]))
    assert about(ledger, token) == {"active": False}


def test_an_expired_token_buys_nothing(desk: Desk, shop: RelyingParty, ledger: RelyingParty):
    token = hers(desk, shop)
    desk.clock.advance(minutes=11)
    assert exchanged(ledger, token).json()["error"] == "invalid_request"


def test_it_is_told(desk: Desk, shop: RelyingParty, ledger: RelyingParty):
    bought(ledger, hers(desk, shop))
    event = desk.events("token.exchanged")[-1]
    assert (event.user_id, event.client_id, event.session_id) == ("ann", LEDGER, "ann")
    assert event.data["issued_to"] == "shop"
    assert event.data["audience"] == [BOOKS]
