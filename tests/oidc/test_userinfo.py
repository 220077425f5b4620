"""The userinfo endpoint: who may ask, by which token, and what is told."""

from datetime import timedelta
from typing import Any

import pytest

from idp.models import Group, User, db
from idp.oidc import access_tokens
from idp.protocol.claims import ClaimsRequest
from tests.helpers.clock import FakeClock
from tests.oidc.desk import Desk, on_both
from tests.services.people import VERIFIER

PATH = "/oauth/userinfo"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_without_further_scopes_only_the_subject_is_told(desk: Desk):
    tokens = desk.tokens(desk.client())
    response = desk.http.get(PATH, headers=bearer(tokens.access_token))
    assert response.json() == {"sub": "ann"}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


@on_both
@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        pytest.param(
            "profile",
            {
                "name": "Ann Archer",
                "given_name": "Ann",
                "family_name": "Archer",
                "preferred_username": "archer",
                "updated_at": 1906545600,
            },
            id="profile",
        ),
        pytest.param("email", {"email": "ann@example.com", "email_verified": True}, id="email"),
        pytest.param("address", {"address": {"locality": "Lisbon", "country": "PT"}}, id="address"),
        pytest.param(
            "phone", {"phone_number": "+1 555 0100", "phone_number_verified": True}, id="phone"
        ),
        pytest.param("groups", {"groups": ["admins", "staff"]}, id="groups"),
    ],
)
def test_a_scope_gives_its_claims_and_no_empty_one(desk: Desk, scope: str, claims: dict[str, Any]):
    with desk.rows():
        user = db.session.get_one(User, "ann")
        user.groups = [Group(name="staff"), Group(name="admins")]
    party = desk.client()
    tokens = desk.tokens(party, scope=("openid", scope))
    assert party.userinfo(tokens.access_token) == {"sub": "ann", **claims}


@on_both
def test_claims_asked_for_by_name_are_told(desk: Desk):
    asked = ClaimsRequest.parse('{"userinfo": {"name": {"essential": true}, "groups": null}}')
    party = desk.client()
    tokens = desk.tokens(party, claims=asked)
    assert party.userinfo(tokens.access_token) == {"sub": "ann", "name": "Ann Archer", "groups": []}
    assert "name" not in tokens.claims


@on_both
def test_what_is_told_is_what_is_true_now(desk: Desk):
    party = desk.client()
    tokens = desk.tokens(party, scope=("openid", "email"))
    with desk.rows():
        db.session.get_one(User, "ann").email = "new@example.com"
    assert party.userinfo(tokens.access_token)["email"] == "new@example.com"


@pytest.mark.parametrize("way", ["GET header", "POST header", "POST body"])
def test_the_token_comes_by(desk: Desk, way: str):
    token = desk.tokens(desk.client()).access_token
    if way == "POST body":
        response = desk.post(PATH, {"access_token": token})
    else:
        response = desk.http.request(way.split(maxsplit=1)[0], PATH, headers=bearer(token))
    assert response.json() == {"sub": "ann"}


def test_the_scheme_is_not_case_sensitive(desk: Desk):
    token = desk.tokens(desk.client()).access_token
    headers = {"Authorization": f"bEARER {token}"}
    assert desk.http.get(PATH, headers=headers).status_code == 200


def test_who_brings_no_token_is_told_how_and_not_why(desk: Desk):
    response = desk.http.get(PATH)
    assert response.status_code == 401
    assert response.headers.get_list("WWW-Authenticate") == [
        'Bearer realm="https://id.example.com"',
        'DPoP realm="https://id.example.com", algs="ES256 EdDSA Ed25519 PS256 RS256"',
    ]


def test_a_token_in_the_query_is_refused(desk: Desk):
    token = desk.tokens(desk.client()).access_token
    response = desk.http.get(f"{PATH}?access_token={token}")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert 'error="invalid_request"' in response.headers["WWW-Authenticate"]


def test_a_token_sent_in_two_ways_is_refused(desk: Desk):
    token = desk.tokens(desk.client()).access_token
    response = desk.post(PATH, {"access_token": token}, headers=bearer(token))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def spoiled(token: str) -> str:
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[:-6]}AAAAAA"


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda tokens: "nonsense", id="nonsense"),
        pytest.param(lambda tokens: "a.b.c", id="nonsense with dots"),
        pytest.param(lambda tokens: "", id="nothing"),
        pytest.param(lambda tokens: tokens.id_token, id="an ID token"),
        pytest.param(lambda tokens: tokens.refresh_token, id="a refresh token"),
        pytest.param(lambda tokens: spoiled(tokens.access_token), id="another signature"),
    ],
)
def test_what_is_no_access_token_is_refused(desk: Desk, access_token_format: str, token):
    party = desk.client(access_token_format=access_token_format)
    tokens = desk.tokens(party, scope=("openid", "offline_access"))
    assert party.userinfo(tokens.access_token)  # what it says is known from here on
    response = desk.http.get(PATH, headers=bearer(token(tokens)))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert party.userinfo(tokens.access_token)


@on_both
@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
@pytest.mark.parametrize(
    "event", ["it expired", "the person is disabled", "the client is disabled", "revoked"]
)
def test_a_token_that_is_over_is_refused(
    desk: Desk, clock: FakeClock, access_token_format: str, event: str
):
    party = desk.client(access_token_format=access_token_format)
    token = desk.tokens(party).access_token
    clock.advance(minutes=9, seconds=59)
    assert party.userinfo(token)
    if event == "it expired":
        clock.set(clock() + timedelta(seconds=1))
    elif event == "the person is disabled":
        desk.disable_person()
    elif event == "the client is disabled":
        with desk.rows():
            desk.services.client_registry.disable("shop", desk.context)
    else:
        party.post("https://id.example.com/oauth/revoke", {"token": token})
    response = desk.http.get(PATH, headers=bearer(token))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")


def test_a_token_without_openid_is_not_enough(desk: Desk):
    party = desk.client()
    code = desk.code(party, scope=("email",))
    from_code = {"grant_type": "authorization_code", "code": code}
    from_code |= {"redirect_uri": party.redirect_uri, "code_verifier": VERIFIER}
    token = party.token_request(**from_code).json()["access_token"]
    response = desk.http.get(PATH, headers=bearer(token))
    assert (response.status_code, response.json()["error"]) == (403, "insufficient_scope")
    assert 'scope="openid"' in response.headers["WWW-Authenticate"]


def test_a_token_for_somebody_else_is_refused(desk: Desk):
    party = desk.client()
    code = desk.code(party, scope=("email",), resource=("https://api.example.com",))
    form = {"grant_type": "authorization_code", "code": code}
    form |= {"redirect_uri": party.redirect_uri, "code_verifier": VERIFIER}
    token = party.token_request(**form).json()["access_token"]
    response = desk.http.get(PATH, headers=bearer(token))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")


def test_what_nobody_signed_is_not_kept(desk: Desk):
    token = desk.tokens(desk.client()).access_token
    access_tokens._read.cache_clear()  # or it may be full, of what other tests were told
    for _ in range(2):
        assert desk.http.get(PATH, headers=bearer(spoiled(token))).status_code == 401
    assert access_tokens._read.cache_info().currsize == 0
    assert desk.http.get(PATH, headers=bearer(token)).status_code == 200
    assert access_tokens._read.cache_info().currsize == 1


@on_both
def test_a_key_that_leaked_and_was_removed_at_once_takes_its_tokens_along(desk: Desk):
    party = desk.client()
    token = desk.tokens(party).access_token
    assert party.userinfo(token)
    rotation = desk.services.key_rotation
    with desk.rows():
        (old,) = [one.kid for one in rotation.listed(desk.clock()) if one.algorithm == "ES256"]
        rotation.rotate(desk.context, algorithms=["ES256"], at_once=True)
        rotation.retire(old, desk.context, at_once=True)
    assert desk.http.get(PATH, headers=bearer(token)).status_code == 401
    assert party.userinfo(desk.tokens(party).access_token)
