"""A client that acts for itself: what it gets, and everything that is a person's alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from idp.models import AccessToken, Client, Grant, RefreshToken, db
from idp.secrecy import filed
from tests.helpers.clock import FakeClock
from tests.helpers.relying_party import RelyingParty
from tests.oidc.desk import Desk, Keys, opened, payload_of

API = "https://api.example.com"
MACHINE: dict[str, Any] = {
    "grant_types": ["client_credentials"],
    "redirect_uris": [],
    "scope": "openid profile account orders:read orders:write",
    "allowed_resources": [API],
}


@pytest.fixture(scope="module")
def desk(module_url: str, made_keys: Keys) -> Iterator[Desk]:
    yield from opened(module_url, FakeClock(), made_keys)


@pytest.fixture
def machine(desk: Desk) -> RelyingParty:
    return desk.client(desk.new_name(), **MACHINE)


def asked(party: RelyingParty, **form: str) -> dict[str, Any]:
    """What its credentials buy."""
    response = party.token_request(grant_type="client_credentials", **form)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_the_access_token_is_the_clients_own(desk: Desk, machine: RelyingParty):
    body = asked(machine, scope="orders:read", resource=API)
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    claims = payload_of(body["access_token"])
    now = int(desk.clock().timestamp())
    # RFC 9068 section 2.2, and nothing of a sign-in: there was none.
    assert claims == {
        "iss": "https://id.example.com",
        "sub": machine.client_id,
        "client_id": machine.client_id,
        "aud": API,
        "scope": "orders:read",
        "iat": now,
        "exp": now + 600,
        "jti": claims["jti"],
    }


def test_without_a_scope_it_gets_all_that_is_not_about_a_person(machine: RelyingParty):
    assert asked(machine)["scope"] == "orders:read orders:write"


def test_there_is_nothing_to_refresh_and_nobody(desk: Desk, machine: RelyingParty):
    asked(machine)
    with desk.app.app_context():
        grant = db.session.scalars(select(Grant).where(Grant.client_id == machine.client_id)).one()
        assert (grant.user_id, grant.acr, grant.amr, grant.auth_time) == (None, None, None, None)
        assert (
            db.session.scalars(select(RefreshToken).where(RefreshToken.grant_id == grant.id)).all()
            == []
        )


@pytest.mark.parametrize(
    ("form", "error"),
    [
        pytest.param({"scope": "openid"}, "invalid_scope", id="an ID token"),
        pytest.param({"scope": "orders:read profile"}, "invalid_scope", id="somebody's profile"),
        pytest.param({"scope": "account"}, "invalid_scope", id="somebody's account"),
        pytest.param({"scope": "offline_access"}, "invalid_scope", id="a refresh token"),
        pytest.param({"scope": "orders:burn"}, "invalid_scope", id="an unregistered scope"),
        pytest.param({"scope": 'ord"ers'}, "invalid_scope", id="no scope at all"),
        pytest.param({"resource": "https://other.example"}, "invalid_target", id="another API"),
        pytest.param({"resource": "api"}, "invalid_target", id="a resource that is no address"),
        pytest.param(
            {"authorization_details": '[{"type": "confirm_operation"}]'},
            "invalid_authorization_details",
            id="what a person confirms",
        ),
    ],
)
def test_what_it_may_not_have(machine: RelyingParty, form: dict[str, str], error: str):
    response = machine.token_request(grant_type="client_credentials", **form)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert asked(machine, scope="orders:write")


def test_who_is_registered_for_no_resource_gets_none(desk: Desk):
    party = desk.client(desk.new_name(), **{**MACHINE, "allowed_resources": []})
    response = party.token_request(grant_type="client_credentials", resource=API)
    assert response.json()["error"] == "invalid_target"
    assert payload_of(asked(party)["access_token"])["aud"] == "https://id.example.com"


def test_the_grant_type_has_to_be_registered(desk: Desk):
    response = desk.client(desk.new_name()).token_request(grant_type="client_credentials")
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")


def test_a_wrong_secret_buys_nothing(machine: RelyingParty):
    machine.client_secret = "x" * 43
    response = machine.token_request(grant_type="client_credentials")
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_introspection_and_revocation(desk: Desk, access_token_format: str):
    members = {**MACHINE, "access_token_format": access_token_format}
    party = desk.client(desk.new_name(), **members)
    token = asked(party, scope="orders:read", resource=API)["access_token"]
    about = party.post("/oauth/introspect", {"token": token}).json()
    assert about["active"] is True
    assert (about["sub"], about["client_id"]) == (party.client_id, party.client_id)
    assert (about["aud"], about["scope"]) == (API, "orders:read")
    assert not {"acr", "amr", "auth_time", "sid"} & about.keys()
    assert party.post("/oauth/revoke", {"token": token}).status_code == 200
    assert party.post("/oauth/introspect", {"token": token}).json() == {"active": False}


def test_its_token_dies_with_the_client(desk: Desk, machine: RelyingParty):
    token = asked(machine, resource=API)["access_token"]
    api = desk.client(API, grant_types=[], redirect_uris=[])
    assert api.post("/oauth/introspect", {"token": token}).json()["active"] is True
    with desk.rows():
        db.session.get_one(Client, machine.client_id).disabled_at = desk.clock()
    assert api.post("/oauth/introspect", {"token": token}).json() == {"active": False}


@pytest.mark.parametrize("path", ["/oauth/userinfo", "/api/v1/me/sessions"])
def test_it_is_nobody_to_userinfo_and_to_our_own_api(desk: Desk, path: str):
    """Not even with a person's scope, which this program never gives it."""
    party = desk.client(desk.new_name(), **{**MACHINE, "access_token_format": "opaque"})
    token = asked(party)["access_token"]
    with desk.rows():
        db.session.get_one(AccessToken, filed(token)).scope = "openid account"
    assert party.post("/oauth/introspect", {"token": token}).json()["active"] is True
    refused = desk.http.get(path, headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
